// The C side of package pyparse: parse a source and flatten its tree into one array, so that a
// foreign-function border is crossed once per file and not once per node. The same file is compiled
// natively (cgo) and to wasm32 (see wasm/).
#ifndef SECURE_TORCH_FLATTEN_H
#define SECURE_TORCH_FLATTEN_H

#include <stdbool.h>
#include <stdint.h>

// One node, 16 bytes, in source (pre-) order. next is the index of the first node behind its subtree.
typedef struct {
  uint32_t start, end, next;
  uint16_t kind;
  uint8_t field, flags;
} st_node;

typedef struct {
  st_node *nodes;
  uint32_t count;
  uint32_t failed; // 1: out of memory or time
} st_result;

// st_setup is called once before anything else.
void st_setup(void);
// st_parse parses length bytes of src within timeout_us microseconds. The caller owns the result: st_free.
void st_parse(const char *src, uint32_t length, uint64_t timeout_us, st_result *out);
void st_free(st_result *result);
uint32_t st_symbol(const char *name, uint32_t length);
uint32_t st_field(const char *name, uint32_t length);

#endif
