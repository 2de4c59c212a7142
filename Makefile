# One command runs the main job (make pingpong), one passes the tests (make test), one is what CI runs (make check).
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(PATH):/usr/sbin:/sbin
# Exclusivity is checked in debug builds, which run the tests; on the data path of a model the checks cost a third.
RELEASE := --configuration release --static-swift-stdlib --scratch-path .build-release -Xswiftc -enforce-exclusivity=unchecked
BIN := .build-release/release

.PHONY: help setup build release pingpong provider verbs test test-long fuzz lint format bench bench-instructions bench-lab bench-relay bench-mpi lab lab-nested lab-shell clean check

help: ## these verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

setup: ## install what is missing (Debian packages by name)
	@Scripts/setup

build: setup ## debug build of everything
	swift build --build-tests

release: setup ## static release binaries in .build-release/release
	swift build $(RELEASE) --product unic
	swift build $(RELEASE) --product driver-suite
	swift build $(RELEASE) --product hugepage-check
	swift build $(RELEASE) --product hot-path
	swift build $(RELEASE) --product dma-path
	swift build $(RELEASE) --product relay-guest
	swift build $(RELEASE) --product udp-pingpong
	swift build $(RELEASE) --product vfio-map
	swift build $(RELEASE) --product relay-core
	swift build $(RELEASE) --product transport-simulation
	swift build $(RELEASE) --product message-path
	swift build $(RELEASE) --product unic-fi
	swift build $(RELEASE) --product unic-verbs
	swift build $(RELEASE) --product mpi-pingpong
	swift build $(RELEASE) --product mpi-allreduce
	Scripts/build-mpi $(BIN)

provider: setup ## libunic-fi.so, by which MPI programs use unic (docs/mpi.md)
	swift build $(RELEASE) --product unic-fi

verbs: setup ## libunic-verbs.so, by which verbs programs use unic (docs/verbs.md)
	swift build $(RELEASE) --product unic-verbs

pingpong: release ## the main job: latency between two ports, no privilege needed
	$(BIN)/unic pingpong

test: release build ## every test, lab included
	Scripts/test

test-long: release ## what is too long for every run
	Scripts/test-long

fuzz: setup ## libFuzzer on every parser, on servers and on a client, SECONDS each
	Scripts/fuzz $(or $(SECONDS),60)

lint: ## format, unsafe audit, paths
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks
	Scripts/lint

format: ## rewrite the sources in the project's format
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

bench-instructions: release ## instructions of the hot functions, a packet and a translation, and what may not be in them
	Scripts/bench-instructions $(BIN)

bench: release ## times: medians and spread, five interleaved repetitions; the relay in guests last
	Scripts/bench $(BIN)
	Scripts/bench-mpi $(BIN)
	Scripts/bench-relay $(BIN)

bench-mpi: release ## times of MPI between two ranks, against the other ways that Open MPI has
	Scripts/bench-mpi $(BIN)

bench-lab: release ## times in a guest against the kernel's driver and DPDK's testpmd, one boot, five repetitions
	Scripts/bench-lab $(BIN)

bench-relay: release ## times of VFIO's map and unmap in guests, behind the relay's IOMMU and behind QEMU's two
	Scripts/bench-relay $(BIN)

lab: release ## the tests that need a guest
	Scripts/test --lab-only

lab-nested: release ## the relay in a guest in a guest, ten minutes
	Scripts/test-nested $(BIN)

lab-shell: setup ## a shell in the lab's guest
	Lab/shell

clean: ## forget what was built here; ~/.cache/unic stays
	rm -rf .build .build-release .build-fuzz

check: setup lint pingpong test bench-instructions ## exactly what CI runs
	Scripts/fuzz 2
