#include "flatten.h"

#include <stdlib.h>
#include <string.h>

// The few declarations of tree-sitter 0.25's api.h that are used here. They are repeated because cgo
// offers a package no way to another module's header files; the version is pinned in go.mod.
typedef struct TSParser TSParser;
typedef struct TSTree TSTree;
typedef struct TSLanguage TSLanguage;
typedef struct { uint32_t context[4]; const void *id; const TSTree *tree; } TSNode;
typedef struct { const void *tree; const void *id; uint32_t context[3]; } TSTreeCursor;

extern const TSLanguage *tree_sitter_python(void);
extern void ts_set_allocator(void *(*)(size_t), void *(*)(size_t, size_t), void *(*)(void *, size_t), void (*)(void *));
extern TSParser *ts_parser_new(void);
extern void ts_parser_delete(TSParser *);
extern bool ts_parser_set_language(TSParser *, const TSLanguage *);
extern void ts_parser_set_timeout_micros(TSParser *, uint64_t);
extern TSTree *ts_parser_parse_string(TSParser *, const TSTree *, const char *, uint32_t);
extern void ts_tree_delete(TSTree *);
extern TSNode ts_tree_root_node(const TSTree *);
extern TSTreeCursor ts_tree_cursor_new(TSNode);
extern void ts_tree_cursor_delete(TSTreeCursor *);
extern TSNode ts_tree_cursor_current_node(const TSTreeCursor *);
extern uint16_t ts_tree_cursor_current_field_id(const TSTreeCursor *);
extern bool ts_tree_cursor_goto_parent(TSTreeCursor *);
extern bool ts_tree_cursor_goto_next_sibling(TSTreeCursor *);
extern bool ts_tree_cursor_goto_first_child(TSTreeCursor *);
extern uint16_t ts_node_symbol(TSNode);
extern uint32_t ts_node_start_byte(TSNode);
extern uint32_t ts_node_end_byte(TSNode);
extern bool ts_node_is_named(TSNode);
extern bool ts_node_is_missing(TSNode);
extern uint16_t ts_language_symbol_for_name(const TSLanguage *, const char *, uint32_t, bool);
extern uint16_t ts_language_field_id_for_name(const TSLanguage *, const char *, uint32_t);

typedef struct { st_node *at; uint32_t count, room; } buffer;

static st_node *push(buffer *b) {
  if (b->count == b->room) {
    uint32_t room = b->room ? b->room * 2 : 512;
    st_node *at = room > b->room ? realloc(b->at, (size_t)room * sizeof(st_node)) : NULL;
    if (!at) return NULL;
    b->at = at;
    b->room = room;
  }
  return &b->at[b->count++];
}

typedef struct { uint32_t *at; uint32_t count, room; } stack;

static bool push_index(stack *s, uint32_t index) {
  if (s->count == s->room) {
    uint32_t room = s->room ? s->room * 2 : 128;
    uint32_t *at = room > s->room ? realloc(s->at, (size_t)room * sizeof(uint32_t)) : NULL;
    if (!at) return false;
    s->at = at;
    s->room = room;
  }
  s->at[s->count++] = index;
  return true;
}

#define SKIPPED UINT32_MAX

// flatten walks the tree without recursion: its depth is the attacker's choice.
static bool flatten(TSTree *tree, buffer *nodes) {
  TSTreeCursor cursor = ts_tree_cursor_new(ts_tree_root_node(tree));
  const uint16_t comment = ts_language_symbol_for_name(tree_sitter_python(), "comment", 7, true);
  const uint16_t continuation = ts_language_symbol_for_name(tree_sitter_python(), "line_continuation", 17, true);
  stack open = {0};
  bool ok = true;
  for (;;) {
    TSNode node = ts_tree_cursor_current_node(&cursor);
    uint16_t symbol = ts_node_symbol(node), field = ts_tree_cursor_current_field_id(&cursor);
    uint32_t index = SKIPPED;
    bool extra = symbol == comment || symbol == continuation;
    if (!extra && (field || ts_node_is_named(node))) {
      st_node *n = push(nodes);
      if (!n) { ok = false; break; }
      index = nodes->count - 1;
      *n = (st_node){ts_node_start_byte(node), ts_node_end_byte(node), nodes->count, symbol, (uint8_t)field, ts_node_is_missing(node)};
    }
    if (ts_tree_cursor_goto_first_child(&cursor)) {
      if (!push_index(&open, index)) { ok = false; break; }
      continue;
    }
    while (!ts_tree_cursor_goto_next_sibling(&cursor)) {
      if (!open.count || !ts_tree_cursor_goto_parent(&cursor)) goto done;
      uint32_t parent = open.at[--open.count];
      if (parent != SKIPPED) nodes->at[parent].next = nodes->count;
    }
  }
done:
  free(open.at);
  ts_tree_cursor_delete(&cursor);
  return ok;
}

// go-tree-sitter has every allocation of the C library call back into Go, which costs more than the
// parsing itself. NULL stands for C's own malloc, which is what those callbacks end in.
void st_setup(void) { ts_set_allocator(NULL, NULL, NULL, NULL); }

void st_parse(const char *src, uint32_t length, uint64_t timeout_us, st_result *out) {
  memset(out, 0, sizeof *out);
  out->failed = 1;
  TSParser *parser = ts_parser_new();
  if (!parser) return;
  ts_parser_set_timeout_micros(parser, timeout_us);
  TSTree *tree = NULL;
  if (ts_parser_set_language(parser, tree_sitter_python())) tree = ts_parser_parse_string(parser, NULL, src, length);
  ts_parser_delete(parser);
  if (!tree) return;
  buffer nodes = {0};
  if (flatten(tree, &nodes)) {
    out->failed = 0;
    out->count = nodes.count;
  }
  out->nodes = nodes.at;
  ts_tree_delete(tree);
}

void st_free(st_result *r) {
  free(r->nodes);
  r->nodes = NULL;
}

uint32_t st_symbol(const char *name, uint32_t length) { return ts_language_symbol_for_name(tree_sitter_python(), name, length, true); }
uint32_t st_field(const char *name, uint32_t length) { return ts_language_field_id_for_name(tree_sitter_python(), name, length); }
