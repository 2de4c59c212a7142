// Whether this process's messages go over unic: a port of it is open. If not: which step on the way was not taken.
#include "on_unic.h"
#include "mpi_calls.h"
#include "port_page.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char start_right[] = "Start it with: mpirun $(unic mpirun-args) ...";

// Libraries of this process that tell which way MPI has gone; Open MPI unloads components that it did not select.
struct libraries { int libfabric, provider; char pml[24], mtl[24]; };

// The X of a path that ends in NAMEX.so.
static void component(const char *line, const char *name, char into[24]) {
    const char *start = strstr(line, name), *end = start ? strstr(start, ".so") : NULL;
    if (!end || into[0]) return;
    start += strlen(name);
    snprintf(into, 24, "%.*s", (int)(end - start), start);
}

static struct libraries loaded_libraries(void) {
    struct libraries found = {0};
    char *line = NULL;
    size_t size = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && getline(&line, &size, maps) > 0) {
        found.libfabric |= strstr(line, "/libfabric") != NULL;
        found.provider |= strstr(line, "/libunic-fi.so") != NULL;
        component(line, "/mca_pml_", found.pml);
        component(line, "/mca_mtl_", found.mtl);
    }
    free(line);
    if (maps) fclose(maps);
    return found;
}

// What the environment says of a parameter of Open MPI: mpirun's --mca arrives that way, a file's settings do not. They could be asked
// for (MPI 3.1 §14.3): with that, one run in thirty of a program with threads crashed or hung, without it none of sixty (4.1.4).
static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value && value[0] ? value : "nothing";
}

static void wrong_way(const struct libraries *found, char *reason, size_t size) {
    // Components that are parts of libmpi itself show in settings alone.
    const char *pml = setting("OMPI_MCA_pml"), *mtl = setting("OMPI_MCA_mtl");
    if (found->pml[0])
        snprintf(reason, size, "Open MPI took its pml %s, not cm with mtl ofi (OMPI_MCA_pml is %.32s, OMPI_MCA_mtl %.32s). %s", found->pml, pml, mtl, start_right);
    else
        snprintf(reason, size, "Open MPI did not take the way through libfabric (OMPI_MCA_pml is %.32s, OMPI_MCA_mtl %.32s). %s", pml, mtl, start_right);
}

static void no_provider(char *reason, size_t size) {
    const char *folder = getenv("FI_PROVIDER_PATH");
    char path[512];
    if (!folder || !folder[0]) {
        snprintf(reason, size, "FI_PROVIDER_PATH is not set, so libfabric does not know of unic. %s", start_right);
        return;
    }
    snprintf(path, sizeof path, "%s/libunic-fi.so", folder);
    if (access(path, R_OK) != 0)
        snprintf(reason, size, "FI_PROVIDER_PATH is %.200s, and there is no libunic-fi.so that can be read. %s", folder, start_right);
    else
        snprintf(reason, size, "libfabric did not load %.200s. FI_LOG_LEVEL=info in the environment shows why.", path);
}

void unic_why_not(char *reason, size_t size) {
    reason[0] = 0;
    if (unic_own_port().count > 0) return;
    struct libraries found = loaded_libraries();
    // cm is the one that goes by libfabric.
    if (!found.libfabric || (found.pml[0] && strcmp(found.pml, "cm") != 0)) return wrong_way(&found, reason, size);
    if (!found.provider) return no_provider(reason, size);
    snprintf(reason, size,
        "libunic-fi.so is loaded, but no port of it is open: Open MPI took another provider or another mtl (OMPI_MCA_mtl is %.32s). %s",
        setting("OMPI_MCA_mtl"), start_right);
}
