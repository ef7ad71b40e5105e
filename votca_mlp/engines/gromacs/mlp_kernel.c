/* What mdrun loads through its PLUMED slot (mdrun -plumed FILE, environment PLUMED_KERNEL=this library).
 *
 * Each MD step it sends positions and box to the votca-mlp process that listens on the Unix socket named in
 * FILE, and adds the forces and the virial that come back. On the wire: the i-PI protocol (Ceriotti, More and
 * Manolopoulos, Comput. Phys. Commun. 185, 1019 (2014)) in atomic units, mdrun in the role of the driver.
 * The message INIT carries the number of the first step and the masses. Only libc is needed.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* CODATA 2018 */
static const double BOHR_PER_NM = 1.0 / 0.0529177210903;
static const double HARTREE_PER_KJMOL = 1.0 / 2625.4996394799;

struct kernel {
    int precision, atoms, local, link; /* bytes of a real; all atoms, those of this rank; the socket */
    long step;
    const void *positions, *masses, *box;
    void *forces, *virial;
    double *buffer;
    char file[4096];
};

static void fail(const char *format, ...) {
    va_list words;
    va_start(words, format);
    fprintf(stderr, "\nvotca-mlp (in mdrun): ");
    vfprintf(stderr, format, words);
    fprintf(stderr, "\n");
    va_end(words);
    fflush(NULL);
    _exit(1); /* exit() would wait for mdrun's threads */
}

static double get(const struct kernel *k, const void *reals, long i) {
    return k->precision == 4 ? ((const float *)reals)[i] : ((const double *)reals)[i];
}

static void add(const struct kernel *k, void *reals, long i, double value) {
    if (k->precision == 4)
        ((float *)reals)[i] += (float)value;
    else
        ((double *)reals)[i] += value;
}

static void put(struct kernel *k, const void *data, size_t size) {
    for (const char *from = data; size > 0;) {
        ssize_t done = send(k->link, from, size, MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) fail("the evaluator of the potential has gone: %s", strerror(errno));
        from += done;
        size -= (size_t)done;
    }
}

static void take(struct kernel *k, void *data, size_t size) {
    for (char *into = data; size > 0;) {
        ssize_t done = recv(k->link, into, size, 0);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) fail("the evaluator of the potential has gone");
        into += done;
        size -= (size_t)done;
    }
}

static void put_word(struct kernel *k, const char *word) {
    char header[12];
    memset(header, ' ', sizeof header);
    memcpy(header, word, strlen(word));
    put(k, header, sizeof header);
}

static void expect(struct kernel *k, const char *word) {
    char header[13] = "";
    take(k, header, 12);
    if (strncmp(header, word, strlen(word)) != 0)
        fail("the evaluator of the potential answered '%s' where '%s' belongs", header, word);
}

static void connect_to_evaluator(struct kernel *k) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char line[4096];
    FILE *file = fopen(k->file, "r");
    if (!file) fail("cannot read %s, which names the socket: %s", k->file, strerror(errno));
    while (fgets(line, sizeof line, file)) sscanf(line, "socket %107s", address.sun_path);
    fclose(file);
    k->link = socket(AF_UNIX, SOCK_STREAM, 0);
    if (k->link < 0 || connect(k->link, (struct sockaddr *)&address, sizeof address) != 0)
        fail("no votca-mlp listens on '%s': %s", address.sun_path, strerror(errno));
    put_word(k, "STATUS");
    expect(k, "NEEDINIT");
    int32_t head[2] = {0, (int32_t)(8 * (k->atoms + 1))};
    k->buffer = malloc(sizeof(double) * (size_t)(3 * k->atoms + 18));
    if (!k->buffer) fail("no memory");
    k->buffer[0] = (double)k->step;
    for (long i = 0; i < k->atoms; i++) k->buffer[i + 1] = get(k, k->masses, i);
    put_word(k, "INIT");
    put(k, head, sizeof head);
    put(k, k->buffer, (size_t)head[1]);
}

static void calculate(struct kernel *k) {
    int32_t atoms = k->atoms, extra = 0;
    double energy, cell[18] = {0}, *x;
    if (k->local != k->atoms) fail("more than one rank; votca-mlp needs mdrun -ntmpi 1, or one MPI process");
    if (k->link < 0) connect_to_evaluator(k);
    x = k->buffer;
    put_word(k, "STATUS");
    expect(k, "READY");
    put_word(k, "POSDATA");
    for (int row = 0; row < 3; row++) /* cell vectors in columns; the inverse (next nine) is not used */
        for (int column = 0; column < 3; column++)
            cell[3 * column + row] = get(k, k->box, 3 * row + column) * BOHR_PER_NM;
    put(k, cell, sizeof cell);
    put(k, &atoms, sizeof atoms);
    for (long i = 0; i < 3L * atoms; i++) x[i] = get(k, k->positions, i) * BOHR_PER_NM;
    put(k, x, sizeof(double) * 3 * (size_t)atoms);
    put_word(k, "STATUS");
    expect(k, "HAVEDATA");
    put_word(k, "GETFORCE");
    expect(k, "FORCEREADY");
    take(k, &energy, sizeof energy); /* mdrun has no place for it */
    take(k, &atoms, sizeof atoms);
    if (atoms != k->atoms) fail("forces of %d atoms for %d", (int)atoms, k->atoms);
    take(k, x, sizeof(double) * (3 * (size_t)atoms + 9));
    for (long i = 0; i < 3L * atoms; i++) add(k, k->forces, i, x[i] * BOHR_PER_NM / HARTREE_PER_KJMOL);
    /* i-PI: virial = -dE/d(strain); the slot: +dE/d(strain) */
    for (int i = 0; i < 9; i++) add(k, k->virial, i, -x[3L * atoms + i] / HARTREE_PER_KJMOL);
    take(k, &extra, sizeof extra);
    for (char c; extra > 0; extra--) take(k, &c, 1);
}

void *plumed_plumedmain_create(void) {
    struct kernel *k = calloc(1, sizeof *k);
    if (!k) fail("no memory");
    k->link = -1;
    return k;
}

void plumed_plumedmain_cmd(void *plumed, const char *key, const void *value) {
    struct kernel *k = plumed;
    if (!strcmp(key, "setRealPrecision")) k->precision = *(const int *)value;
    else if (!strcmp(key, "getApiVersion")) *(int *)(uintptr_t)value = 2;
    else if (!strcmp(key, "setPlumedDat")) snprintf(k->file, sizeof k->file, "%s", (const char *)value);
    else if (!strcmp(key, "setNatoms")) k->atoms = k->local = *(const int *)value;
    else if (!strcmp(key, "setAtomsNlocal")) k->local = *(const int *)value;
    else if (!strcmp(key, "setMPIComm")) k->local = -1;
    else if (!strcmp(key, "setStepLong")) k->step = *(const long *)value;
    else if (!strcmp(key, "setStep")) k->step = *(const int *)value;
    else if (!strcmp(key, "setPositions")) k->positions = value;
    else if (!strcmp(key, "setMasses")) k->masses = value;
    else if (!strcmp(key, "setBox")) k->box = value;
    else if (!strcmp(key, "setForces")) k->forces = (void *)(uintptr_t)value;
    else if (!strcmp(key, "setVirial")) k->virial = (void *)(uintptr_t)value;
    else if (!strcmp(key, "performCalc")) calculate(k);
    /* everything else (units, charges, stop flag...) is not needed here */
}

void plumed_plumedmain_finalize(void *plumed) {
    struct kernel *k = plumed;
    if (k->link >= 0) {
        send(k->link, "EXIT        ", 12, MSG_NOSIGNAL); /* all is done: nobody listening is no error */
        close(k->link);
    }
    free(k->buffer);
    free(k);
}
