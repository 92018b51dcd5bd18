// The native control of the benchmark: what C makes of the same pictures on one core of this machine.
//
// A program that lives as long as the benchmark and answers commands, a line each, so that its samples are taken in turn
// with everybody else's:
//
//   variants                                      → the names of the variants that this processor and compiler have
//   render VARIANT WIDTH HEIGHT MAX RE0 RE1 IM0 IM1  → "ok NANOSECONDS BYTES", then so many bytes: the counts, u32
//   bare VARIANT ITERATIONS                       → "ok NANOSECONDS ITERATIONS": a multiple of what one step computes
//
// To be compiled with -ffp-contract=off: a fused multiply-add is another arithmetic, and gives other counts.

#define _POSIX_C_SOURCE 200809L

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

typedef struct {
  int32_t width, height, max_iterations;
  double re_min, re_max, im_min, im_max;
} View;

typedef void Render(const View *view, uint32_t *counts);
typedef void Group(const View *view, const double *re, double im, int pixels, uint32_t *counts);

static inline double re_of(const View *v, int32_t x) {
  return v->re_min + ((double)x / (double)v->width) * (v->re_max - v->re_min);
}

static inline double im_of(const View *v, int32_t y) {
  return v->im_min + ((double)y / (double)v->height) * (v->im_max - v->im_min);
}

/** Whether real parts lo … hi at `im` meet the square around -2 in which every step must be tested. */
static inline bool is_near_minus_two(double lo, double hi, double im) {
  const double near = 0x1p-16;
  return im >= -near && im <= near && lo <= near - 2 && hi >= -2 - near;
}

/** The definition of a count. */
static inline uint32_t scalar_pixel(double cr, double ci, int32_t max_iterations) {
  double zr = 0, zi = 0;
  for (int32_t n = 0; n < max_iterations; n++) {
    const double zr2 = zr * zr, zi2 = zi * zi;
    if (!(zr2 + zi2 <= 4)) return (uint32_t)n;
    const double product = zr * zi;
    zr = zr2 - zi2 + cr;
    zi = product + product + ci;
  }
  return (uint32_t)max_iterations;
}

static void scalar(const View *view, uint32_t *counts) {
  for (int32_t y = 0; y < view->height; y++) {
    const double im = im_of(view, y);
    for (int32_t x = 0; x < view->width; x++) *counts++ = scalar_pixel(re_of(view, x), im, view->max_iterations);
  }
}

#define BITS 128
#include "brute.h"
#ifdef __AVX__
#define BITS 256
#include "brute.h"
#endif
#ifdef __AVX512F__
#define BITS 512
#include "brute.h"
#endif

static const struct {
  const char *name;
  Render *render;
} VARIANTS[] = {
    {"scalar", scalar},
    {"128-stepwise", stepwise_128},
    {"128-deferred", deferred_128},
#ifdef __AVX__
    {"256-stepwise", stepwise_256},
    {"256-deferred", deferred_256},
#endif
#ifdef __AVX512F__
    {"512-stepwise", stepwise_512},
    {"512-deferred", deferred_512},
#endif
};

// ── The bare ceiling: the recurrence alone, in six chains of two doubles; no test, no counts. ──

typedef double Pair __attribute__((vector_size(16)));

enum { BARE_CHAINS = 6, BARE_PIXELS = 2 * BARE_CHAINS };

/** Points inside the set, whose orbits neither escape nor shrink into denormal numbers. Not constants to the compiler. */
static volatile double seeds_re[BARE_PIXELS] = {-0.1, 0.1, -0.2, 0.2, -0.3, 0.25, -0.4, -0.15, -0.5, -0.25, -0.6, -0.35};
static volatile double seeds_im[BARE_PIXELS] = {0.1, 0.2, 0.3, 0.15, 0.25, 0.35, 0.05, 0.12, 0.22, 0.32, 0.17, 0.27};
static volatile double sink;
static volatile double two = 2;

#define BARE_CHAINS_DO(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)
#define BARE_PLACE(i)                                        \
  const Pair cr##i = {seeds_re[2 * i], seeds_re[2 * i + 1]}; \
  const Pair ci##i = {seeds_im[2 * i], seeds_im[2 * i + 1]}; \
  Pair zr##i = {0}, zi##i = {0};
#define BARE_ADD(i)                                     \
  {                                                     \
    const Pair product = zr##i * zi##i;                 \
    zr##i = zr##i * zr##i - zi##i * zi##i + cr##i;      \
    zi##i = product + product + ci##i;                  \
  }
#define BARE_MULTIPLY(i)                                \
  {                                                     \
    const Pair product = zr##i * zi##i;                 \
    zr##i = zr##i * zr##i - zi##i * zi##i + cr##i;      \
    zi##i = product * doubling + ci##i;                 \
  }
#define BARE_SUM(i) +zr##i[0] + zr##i[1] + zi##i[0] + zi##i[1]

/** As every kernel has it: the product is doubled by adding it to itself. Four additions, three multiplications. */
__attribute__((noinline)) void bare_add(int64_t steps) {
  BARE_CHAINS_DO(BARE_PLACE)
  for (int64_t k = 0; k < steps; k++) { BARE_CHAINS_DO(BARE_ADD) }
  sink = 0 BARE_CHAINS_DO(BARE_SUM);
}

/**
 * Every other chain doubles by multiplying, which is as exact. Where adders and multipliers are different units, as on
 * AMD's processors, that gives both the same to do.
 */
__attribute__((noinline)) void bare_mixed(int64_t steps) {
  const Pair doubling = {two, two};
  BARE_CHAINS_DO(BARE_PLACE)
  for (int64_t k = 0; k < steps; k++) {
    BARE_ADD(0) BARE_MULTIPLY(1) BARE_ADD(2) BARE_MULTIPLY(3) BARE_ADD(4) BARE_MULTIPLY(5)
  }
  sink = 0 BARE_CHAINS_DO(BARE_SUM);
}

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static Render *find(const char *name) {
  for (size_t i = 0; i < sizeof VARIANTS / sizeof *VARIANTS; i++) {
    if (strcmp(VARIANTS[i].name, name) == 0) return VARIANTS[i].render;
  }
  return NULL;
}

static void render(Render *variant, const View *view) {
  const size_t pixels = (size_t)view->width * (size_t)view->height;
  uint32_t *counts = malloc(pixels * sizeof *counts);
  if (counts == NULL) {
    puts("error no memory for the counts");
    return;
  }
  memset(counts, 0xff, pixels * sizeof *counts); // the pages are there before the clock runs
  const int64_t begin = now_ns();
  variant(view, counts);
  const int64_t elapsed = now_ns() - begin;
  printf("ok %lld %zu\n", (long long)elapsed, pixels * sizeof *counts);
  fwrite(counts, sizeof *counts, pixels, stdout);
  free(counts);
}

static void bare(void (*variant)(int64_t), int64_t iterations) {
  const int64_t steps = (iterations + BARE_PIXELS - 1) / BARE_PIXELS;
  const int64_t begin = now_ns();
  variant(steps);
  const int64_t elapsed = now_ns() - begin;
  printf("ok %lld %lld\n", (long long)elapsed, (long long)(steps * BARE_PIXELS));
}

int main(void) {
  char line[512], name[32];
  long long iterations;
  View v;
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strcmp(line, "variants\n") == 0) {
      for (size_t i = 0; i < sizeof VARIANTS / sizeof *VARIANTS; i++) printf("%s%s", i ? " " : "", VARIANTS[i].name);
      putchar('\n');
    } else if (sscanf(line, "render %31s %d %d %d %lf %lf %lf %lf", name, &v.width, &v.height, &v.max_iterations,
                      &v.re_min, &v.re_max, &v.im_min, &v.im_max) == 8 &&
               find(name) != NULL) {
      render(find(name), &v);
    } else if (sscanf(line, "bare %31s %lld", name, &iterations) == 2) {
      bare(strcmp(name, "mixed") == 0 ? bare_mixed : bare_add, iterations);
    } else {
      printf("error unknown command: %s", line);
    }
    fflush(stdout);
  }
  return 0;
}
