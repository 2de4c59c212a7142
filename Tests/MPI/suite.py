"""Runs mpi4py's own tests and notes how each ends, so that two runs can be compared, and one that does not end names its test.

suite.py FOLDER_OF_TESTS NOTES [ARGUMENTS_OF_ITS_main.py...]

Each rank appends to NOTES.RANK: "start TEST", then "ok TEST", "failed TEST" or "skipped TEST". A test is MODULE.CLASS.METHOD.
"""

import sys
import unittest

folder, notes = sys.argv[1:3]
sys.argv[1:3] = []
sys.dont_write_bytecode = True
sys.path.insert(0, folder)


class NotingResult(unittest.TextTestResult):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        from mpi4py import MPI

        self.file = open(f"{notes}.{MPI.COMM_WORLD.Get_rank()}", "w", buffering=1)

    def note(self, word, test):
        self.file.write(f"{word} {test.id()}\n")

    def startTest(self, test):
        super().startTest(test)
        self.note("start", test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note("ok", test)

    def addError(self, test, error):
        super().addError(test, error)
        self.note("failed", test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.note("failed", test)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.note("failed", test)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note("failed", test)

    def addExpectedFailure(self, test, error):
        super().addExpectedFailure(test, error)
        self.note("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note("skipped", test)


unittest.TextTestRunner.resultclass = NotingResult
import main  # noqa: E402

main.main(module=None)
