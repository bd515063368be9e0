// SPDX-License-Identifier: MIT
// Counts the calls of the general allocator in a process, as LD_PRELOAD. The counts lie in the file
// that SPATE_MALLOC_COUNTS names, mapped shared, so that a script reads them while the process
// runs. Words of 64 bits: 0 allocations, 1 frees, 2 bytes asked for, 3 how many backtraces to
// print (written by the reader, counted down here).
#define _GNU_SOURCE
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* block, size_t size);
extern void* __libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void* block);

static _Atomic uint64_t before_mapping[4];
static _Atomic uint64_t* counts = before_mapping;
static _Thread_local int inside;

__attribute__((constructor)) static void map_counts(void) {
  // Loads what backtrace() needs, so that later calls allocate nothing.
  void* warm[4];
  backtrace(warm, 4);
  const char* path = getenv("SPATE_MALLOC_COUNTS");
  if (path == NULL) return;
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, 4096) != 0) return;
  void* memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory != MAP_FAILED) counts = memory;
}

static void count(size_t size) {
  atomic_fetch_add_explicit(&counts[0], 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&counts[2], size, memory_order_relaxed);
  if (atomic_load_explicit(&counts[3], memory_order_relaxed) == 0 || inside) return;
  inside = 1;
  atomic_fetch_sub_explicit(&counts[3], 1, memory_order_relaxed);
  void* frames[32];
  const int depth = backtrace(frames, 32);
  (void)!write(2, "-- allocation\n", 14);
  backtrace_symbols_fd(frames, depth, 2);
  inside = 0;
}

void* malloc(size_t size) {
  count(size);
  return __libc_malloc(size);
}
void* calloc(size_t number, size_t size) {
  count(number * size);
  return __libc_calloc(number, size);
}
void* realloc(void* block, size_t size) {
  count(size);
  return __libc_realloc(block, size);
}
void* memalign(size_t alignment, size_t size) {
  count(size);
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** block, size_t alignment, size_t size) {
  *block = memalign(alignment, size);
  return *block == NULL ? ENOMEM : 0;
}
void free(void* block) {
  if (block != NULL) atomic_fetch_add_explicit(&counts[1], 1, memory_order_relaxed);
  __libc_free(block);
}
