/*
 * The peer in C: libbpf's bpf_map_* on a hash map, asked over stdin to time one measure at a time. The keys, their
 * order, the values and the loops are those of key-sequence.ts and workload.ts, the protocol that of peer-process.ts.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH_ENTRIES 4096

static int fd;
static uint32_t entries, at;
static uint32_t *hits, *misses, *fill, *batch_keys;
static uint64_t *hit_values, *fill_values, *batch_values;
static volatile uint64_t sink;

static void fail(const char *what, int error) {
  printf("error %s: %s\n", what, strerror(error < 0 ? -error : error));
  fflush(stdout);
  exit(1);
}

static void expect(uint32_t count, uint32_t expected) {
  if (count == expected) return;
  printf("error %u of %u\n", count, expected);
  fflush(stdout);
  exit(1);
}

static uint64_t cpu_time(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static uint32_t state;

static uint32_t next(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static uint32_t *shuffled(uint32_t first, uint32_t seed) {
  uint32_t *keys = malloc(entries * sizeof *keys);
  for (uint32_t i = 0; i < entries; i++) keys[i] = first + i;
  state = seed;
  for (uint32_t last = entries - 1; last > 0; last--) {
    uint32_t other = next() % (last + 1);
    uint32_t key = keys[last];
    keys[last] = keys[other];
    keys[other] = key;
  }
  return keys;
}

static uint64_t value_of_key(uint32_t key) { return (uint64_t)key * 3 + 1; }

static uint64_t *values_of(const uint32_t *keys) {
  uint64_t *values = malloc(entries * sizeof *values);
  for (uint32_t i = 0; i < entries; i++) values[i] = value_of_key(keys[i]);
  return values;
}

static void step(void) {
  if (++at == entries) at = 0;
}

static uint32_t get(const uint32_t *keys, uint32_t count) {
  uint32_t found = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t value;
    if (bpf_map_lookup_elem(fd, &keys[at], &value) == 0) {
      found++;
      sink = value;
    }
    step();
  }
  return found;
}

static uint32_t get_hit(uint32_t count) { return get(hits, count); }

static uint32_t get_miss(uint32_t count) { return get(misses, count); }

static uint32_t set(const uint32_t *keys, const uint64_t *values, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    int error = bpf_map_update_elem(fd, &keys[at], &values[at], BPF_ANY);
    if (error < 0) fail("bpf_map_update_elem", error);
    step();
  }
  return count;
}

static uint32_t overwrite(uint32_t count) { return set(hits, hit_values, count); }

static uint32_t replace(uint32_t count) {
  uint32_t tenth = (entries + 9) / 10, deleted = 0;
  for (uint32_t done = 0; done < count; done += tenth) {
    uint32_t part = tenth < count - done ? tenth : count - done;
    uint32_t start = at;
    for (uint32_t i = 0; i < part; i++) {
      if (bpf_map_delete_elem(fd, &fill[at]) == 0) deleted++;
      step();
    }
    at = start;
    set(fill, fill_values, part);
  }
  return deleted;
}

/** The idiom of bpf(2): the next key, then its value. Each entry costs the same, so part of the map says it all. */
static void iterate(uint32_t most) {
  uint32_t key, next_key, count = 0;
  uint64_t value;
  uint32_t *previous = NULL;
  while (count < most && bpf_map_get_next_key(fd, previous, &next_key) == 0) {
    if (bpf_map_lookup_elem(fd, &next_key, &value) == 0) {
      sink = next_key + value;
      count++;
    }
    key = next_key;
    previous = &key;
  }
  expect(count, most);
}

static void batch(void) {
  uint32_t cursor, total = 0;
  uint32_t *in = NULL;
  for (int error = 0; error == 0; in = &cursor) {
    uint32_t count = BATCH_ENTRIES;
    error = bpf_map_lookup_batch(fd, in, &cursor, batch_keys, batch_values, &count, NULL);
    if (error < 0 && error != -ENOENT) fail("bpf_map_lookup_batch", error);
    for (uint32_t i = 0; i < count; i++) sink = batch_keys[i] + batch_values[i];
    total += count;
  }
  expect(total, entries);
}

static void set_many(void) {
  uint32_t count = entries;
  int error = bpf_map_update_batch(fd, hits, hit_values, &count, NULL);
  if (error < 0) fail("bpf_map_update_batch", error);
  expect(count, entries);
}

static void time_elements(uint32_t (*run)(uint32_t), uint32_t units, uint32_t expected) {
  run((units + 7) / 8);
  uint64_t start = cpu_time();
  uint32_t done = run(units);
  uint64_t nanoseconds = cpu_time() - start;
  expect(done, expected);
  printf("%llu %u\n", (unsigned long long)nanoseconds, units);
}

static void time_passes(void (*run)(void), uint32_t units) {
  uint32_t passes = (units + entries / 2) / entries;
  if (passes == 0) passes = 1;
  uint64_t start = cpu_time();
  for (uint32_t pass = 0; pass < passes; pass++) run();
  printf("%llu %llu\n", (unsigned long long)(cpu_time() - start), (unsigned long long)passes * entries);
}

static void time_part(void (*run)(uint32_t), uint32_t units) {
  if (units > entries) units = entries;
  uint64_t start = cpu_time();
  run(units);
  printf("%llu %u\n", (unsigned long long)(cpu_time() - start), units);
}

static void verify(void) {
  uint64_t value;
  for (uint32_t i = 0; i < entries; i++) {
    int error = bpf_map_lookup_elem(fd, &hits[i], &value);
    if (error < 0) fail("bpf_map_lookup_elem", error);
    if (value != value_of_key(hits[i])) fail("a value is not what it must be", EIO);
  }
  printf("verified\n");
}

static void answer(const char *measure, uint32_t units) {
  if (strcmp(measure, "get-hit") == 0) time_elements(get_hit, units, units);
  else if (strcmp(measure, "get-miss") == 0) time_elements(get_miss, units, 0);
  else if (strcmp(measure, "overwrite") == 0) time_elements(overwrite, units, units);
  else if (strcmp(measure, "replace") == 0) time_elements(replace, units, units);
  else if (strcmp(measure, "iterate") == 0) time_part(iterate, units);
  else if (strcmp(measure, "batch") == 0) time_passes(batch, units);
  else if (strcmp(measure, "set-many") == 0) time_passes(set_many, units);
  else if (strcmp(measure, "verify") == 0) verify();
  else printf("none\n");
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  entries = strtoul(argv[1], NULL, 10);
  uint32_t seed = strtoul(argv[2], NULL, 10);
  hits = shuffled(0, seed);
  fill = shuffled(0, seed + 1);
  misses = shuffled(entries, seed);
  hit_values = values_of(hits);
  fill_values = values_of(fill);
  batch_keys = malloc(BATCH_ENTRIES * sizeof *batch_keys);
  batch_values = malloc(BATCH_ENTRIES * sizeof *batch_values);
  fd = bpf_map_create(BPF_MAP_TYPE_HASH, "bench", sizeof *hits, sizeof *hit_values, entries, NULL);
  if (fd < 0) fail("bpf_map_create", fd);
  set(fill, fill_values, entries);
  printf("ready\n");
  fflush(stdout);

  char measure[32];
  uint32_t units;
  while (scanf("%31s %u", measure, &units) == 2) {
    answer(measure, units);
    fflush(stdout);
  }
  return 0;
}
