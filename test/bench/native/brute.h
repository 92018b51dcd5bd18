// Brute force with vectors of BITS bits, four chains: every iteration of every pixel, no pruning. control.c includes this
// file once for each width.
//
// A group is 4 · LANES neighbours of a row in lock step. There are two ways to find out where a pixel escapes:
//
//   stepwise_BITS  tests at every step, and looks every BLOCK steps whether anybody is left;
//   deferred_BITS  runs BLOCK steps without a test; if a pixel is out at their end, it runs them again with tests.
//
// Both rely on an escaped orbit staying out. Within 2⁻¹⁶ of -2 doubles leave no room for that proof, so those pixels go
// through the scalar loop.

#define JOIN_(stem, bits) stem##bits
#define JOIN(stem, bits) JOIN_(stem, bits)
#define NAME(stem) JOIN(stem, BITS)

#define LANES (BITS / 64)

/** Steps without a test, or without a look whether anybody is left: what was fastest on the reference picture. */
#define BLOCK (BITS == 512 ? 16 : 8)

#define V NAME(doubles_)
#define M NAME(longs_)

typedef double V __attribute__((vector_size(BITS / 8)));
typedef int64_t M __attribute__((vector_size(BITS / 8)));

// Two operations on a comparison, for which compilers find poor code by themselves: one bit a lane that is inside, and
// one more for each lane that is inside.
#if BITS == 512
static inline uint32_t NAME(inside_)(V squared) {
  return _mm512_cmp_pd_mask((__m512d)squared, _mm512_set1_pd(4), _CMP_LE_OQ);
}
static inline M NAME(tally_)(M tally, V squared) {
  __mmask8 inside = _mm512_cmp_pd_mask((__m512d)squared, _mm512_set1_pd(4), _CMP_LE_OQ);
  return (M)_mm512_mask_add_epi64((__m512i)tally, inside, (__m512i)tally, _mm512_set1_epi64(1));
}
#else
static inline uint32_t NAME(inside_)(V squared) {
  M inside = squared <= 4;
#if BITS == 256
  return (uint32_t)_mm256_movemask_pd((__m256d)inside);
#elif defined(__SSE2__)
  return (uint32_t)_mm_movemask_pd((__m128d)inside);
#else
  return (uint32_t)((inside[0] & 1) | (inside[1] & 2));
#endif
}
static inline M NAME(tally_)(M tally, V squared) { return tally - (squared <= 4); }
#endif

#define CHAINS(DO) DO(0) DO(1) DO(2) DO(3)

#define STEP(i)                                  \
  {                                              \
    V product = zr##i * zi##i;                   \
    zr##i = zr##i * zr##i - zi##i * zi##i + cr##i; \
    zi##i = product + product + ci;              \
  }

#define TALLY_STEP(i)                                       \
  {                                                         \
    V squared_re = zr##i * zr##i, squared_im = zi##i * zi##i; \
    V product = zr##i * zi##i;                              \
    tally##i = NAME(tally_)(tally##i, squared_re + squared_im); \
    zr##i = squared_re - squared_im + cr##i;                \
    zi##i = product + product + ci;                         \
  }

#define INSIDE(i) | NAME(inside_)(zr##i * zr##i + zi##i * zi##i) << (i * LANES)
#define PLACE(i) V cr##i, zr##i = {0}, zi##i = {0}; memcpy(&cr##i, re + i * LANES, sizeof cr##i);
#define TALLY(i) M tally##i = {0};
#define SAVE(i) V sr##i = zr##i, si##i = zi##i;
#define RESTORE(i) zr##i = sr##i, zi##i = si##i;
#define STORE(i) memcpy(tallies + i * LANES, &tally##i, sizeof tally##i);

static void NAME(stepwise_group_)(const View *view, const double *re, double im, int pixels, uint32_t *counts) {
  CHAINS(PLACE)
  CHAINS(TALLY)
  const V ci = im + (V){0};
  for (int32_t n = 0; n < view->max_iterations;) {
    const int32_t left = view->max_iterations - n;
    const int32_t steps = left < BLOCK ? left : BLOCK;
    for (int32_t k = 0; k < steps; k++) { CHAINS(TALLY_STEP) }
    n += steps;
    if ((0 CHAINS(INSIDE)) == 0) break;
  }
  int64_t tallies[4 * LANES];
  CHAINS(STORE)
  for (int p = 0; p < pixels; p++) counts[p] = (uint32_t)tallies[p];
}

static void NAME(deferred_group_)(const View *view, const double *re, double im, int pixels, uint32_t *counts) {
  CHAINS(PLACE)
  const V ci = im + (V){0};
  // One bit a pixel that has not escaped.
  uint32_t alive = pixels == 32 ? ~0u : (1u << pixels) - 1;
  bool tested = true; // pixels escape in droves: after one escape, the next block tests at once
  int32_t n = 0;
  while (alive != 0 && n < view->max_iterations) {
    const int32_t left = view->max_iterations - n;
    const int32_t steps = left < BLOCK ? left : BLOCK;
    CHAINS(SAVE)
    bool run = tested || steps < BLOCK;
    if (!run) {
      for (int32_t k = 0; k < BLOCK; k++) { CHAINS(STEP) }
      if (alive & ~(0 CHAINS(INSIDE))) {
        run = true;
        CHAINS(RESTORE)
      }
    }
    if (run) {
      CHAINS(TALLY)
      for (int32_t k = 0; k < steps; k++) { CHAINS(TALLY_STEP) }
      int64_t tallies[4 * LANES];
      CHAINS(STORE)
      uint32_t escaped = 0;
      for (int p = 0; p < pixels; p++) {
        if ((alive >> p & 1) && tallies[p] < steps) {
          counts[p] = (uint32_t)(n + tallies[p]);
          escaped |= 1u << p;
        }
      }
      alive &= ~escaped;
      // A block run again without finding an escape has one in its very last z.
      tested = escaped != 0 || !tested;
    }
    n += steps;
  }
  for (int p = 0; p < pixels; p++) {
    if (alive >> p & 1) counts[p] = (uint32_t)view->max_iterations;
  }
}

static inline __attribute__((always_inline)) void NAME(render_)(const View *view, uint32_t *counts, Group group) {
  for (int32_t y = 0; y < view->height; y++) {
    const double im = im_of(view, y);
    uint32_t *row = counts + (size_t)y * (size_t)view->width;
    for (int32_t x = 0; x < view->width; x += 4 * LANES) {
      const int pixels = view->width - x < 4 * LANES ? view->width - x : 4 * LANES;
      if (is_near_minus_two(re_of(view, x), re_of(view, x + pixels - 1), im)) {
        for (int p = 0; p < pixels; p++) row[x + p] = scalar_pixel(re_of(view, x + p), im, view->max_iterations);
        continue;
      }
      double re[4 * LANES]; // lanes beyond the last pixel repeat it
      for (int p = 0; p < 4 * LANES; p++) re[p] = re_of(view, x + (p < pixels ? p : pixels - 1));
      group(view, re, im, pixels, row + x);
    }
  }
}

static void NAME(stepwise_)(const View *view, uint32_t *counts) { NAME(render_)(view, counts, NAME(stepwise_group_)); }
static void NAME(deferred_)(const View *view, uint32_t *counts) { NAME(render_)(view, counts, NAME(deferred_group_)); }

#undef STORE
#undef RESTORE
#undef SAVE
#undef TALLY
#undef PLACE
#undef INSIDE
#undef TALLY_STEP
#undef STEP
#undef CHAINS
#undef M
#undef V
#undef BLOCK
#undef LANES
#undef NAME
#undef JOIN
#undef JOIN_
#undef BITS
