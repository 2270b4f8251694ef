/*
 * The peer in C of rings.ts. `consume <ring> <records>` takes numbered records by libbpf's ring_buffer__poll and
 * prints the nanoseconds from the first to the last, and those that it worked; `produce <program> <control> <records>` runs the program that writes
 * them until so many are written.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* As in test/records/event-program.ts. */
struct control {
  uint64_t written, refused, limit, flags;
};

static uint64_t expected, records, begin, end, cpu_begin, cpu_end;

static uint64_t now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int take(void *ctx, void *data, size_t size) {
  uint64_t number;
  memcpy(&number, data, sizeof number);
  if (number != expected || size != 64) {
    fprintf(stderr, "record %lu came where %lu was due\n", number, expected);
    exit(1);
  }
  if (expected++ == 0) begin = now(CLOCK_MONOTONIC), cpu_begin = now(CLOCK_PROCESS_CPUTIME_ID);
  if (expected == records) end = now(CLOCK_MONOTONIC), cpu_end = now(CLOCK_PROCESS_CPUTIME_ID);
  return 0;
}

static int consume(const char *path) {
  struct ring_buffer *ring = ring_buffer__new(bpf_obj_get(path), take, NULL, NULL);
  if (ring == NULL) return 1;
  puts("ready");
  fflush(stdout);
  while (expected < records)
    if (ring_buffer__poll(ring, -1) < 0) return 1;
  printf("%lu %lu\n", end - begin, cpu_end - cpu_begin);
  return 0;
}

static int produce(const char *program_path, const char *control_path) {
  int program = bpf_obj_get(program_path), map = bpf_obj_get(control_path);
  char packet[64] = {0};
  uint32_t key = 0;
  struct control control = {0};
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof packet, .repeat = 1000);
  while (control.written < records) {
    if (bpf_prog_test_run_opts(program, &run) != 0) return 1;
    if (bpf_map_lookup_elem(map, &key, &control) != 0) return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  records = strtoull(argv[argc - 1], NULL, 10);
  if (argc == 4 && strcmp(argv[1], "consume") == 0) return consume(argv[2]);
  if (argc == 5 && strcmp(argv[1], "produce") == 0) return produce(argv[2], argv[3]);
  return 2;
}
