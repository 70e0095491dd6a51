# ml-connector. `make` builds, `make test` and `make demo` install what is missing first; see README.md.
B        ?= build
CC       ?= gcc
PKGS     := libcurl libxml-2.0 jansson libsodium libmicrohttpd zlib
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
OPT      ?= -O2 -g
CFLAGS   ?= $(OPT)
CPPFLAGS_ALL = -std=c11 -D_GNU_SOURCE -Iruntime -I. -I$(B)/gen $(shell pkg-config --cflags $(PKGS))
CFLAGS_ALL   = $(CFLAGS) $(WARN) -fno-strict-aliasing -fstack-protector-strong -ffunction-sections -MMD -MP $(SAN)
LIBS      = -llmdb $(shell pkg-config --libs $(PKGS)) -lpthread
PREFIX   ?= /usr/local

RT_SRC   := $(filter-out runtime/cli/main.c runtime/journal/verify/main.c, $(wildcard runtime/*/*.c runtime/*/*/*.c))
MLC_SRC  := $(filter-out compiler/cli/main.c, $(wildcard dsl/*.c compiler/*.c compiler/*/*.c))
GEN_SRC  := $(patsubst grammar/%.re,$(B)/gen/%.c,$(wildcard grammar/*.re)) $(patsubst grammar/%.y,$(B)/gen/%.tab.c,$(wildcard grammar/*.y))
SIM_SRC  := $(filter-out %/main.c, $(wildcard tests/sim/*.c tests/sim/*/*.c tests/fault/*disk*.c))
UNIT_SRC := $(wildcard tests/unit/*/*_test.c tests/unit/*/*/*_test.c)
obj       = $(patsubst %.c,$(B)/obj/%.o,$(1))

RT_LIB   := $(B)/libmlrt.a
MLC_LIB  := $(B)/libmlc.a
SIM_LIB  := $(B)/libsim.a
BINS     := $(if $(wildcard compiler/cli/main.c),$(B)/mlc) $(if $(wildcard runtime/cli/main.c),$(B)/mlcd) \
            $(if $(wildcard runtime/journal/verify/*.c),$(B)/mlc-audit-verify)
SIMS     := $(patsubst tests/sim/%/main.c,$(B)/sim-%,$(wildcard tests/sim/*/main.c))
UNITS    := $(patsubst tests/%.c,$(B)/tests/%,$(UNIT_SRC))

.PHONY: all clean units sims
all: $(BINS)
sims: $(SIMS)
units: $(UNITS)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c $< -o $@
$(B)/obj/$(B)/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Igrammar $(CFLAGS_ALL) -c $< -o $@
$(B)/gen/%.c: grammar/%.re | $(B)/gen/parser.tab.c
	@mkdir -p $(@D)
	re2c -W -Werror --no-debug-info -i -o $@ $<
$(B)/gen/%.tab.c: grammar/%.y
	@mkdir -p $(@D)
	bison -Wall -Werror -Wno-yacc --defines=$(B)/gen/$*.tab.h -o $@ $<
$(MLC_LIB): $(call obj,$(MLC_SRC)) $(patsubst $(B)/gen/%.c,$(B)/obj/$(B)/gen/%.o,$(GEN_SRC))
	@rm -f $@
	$(AR) rcs $@ $^
$(RT_LIB): $(call obj,$(RT_SRC))
	@rm -f $@
	$(AR) rcs $@ $^
$(SIM_LIB): $(call obj,$(SIM_SRC))
	@rm -f $@
	$(AR) rcs $@ $^
# Generated headers must stand before anything that includes them is compiled.
$(call obj,$(MLC_SRC)): | $(patsubst grammar/%.y,$(B)/gen/%.tab.c,$(wildcard grammar/*.y)) $(B)/gen/prelude.inc $(B)/gen/explain.inc
$(B)/obj/dsl/prelude.o: $(B)/gen/prelude.inc
$(B)/obj/dsl/explain.o: $(B)/gen/explain.inc
$(B)/gen/prelude.inc: $(wildcard dsl/prelude/*.mlc) grammar/embed.sh
	@mkdir -p $(@D)
	sh grammar/embed.sh dsl/prelude > $@
$(B)/gen/explain.inc: $(wildcard docs/diagnostics/*.md) grammar/embed.sh
	@mkdir -p $(@D)
	sh grammar/embed.sh docs/diagnostics md > $@

$(B)/mlc: $(call obj,compiler/cli/main.c) $(MLC_LIB) $(RT_LIB)
	$(CC) $(CFLAGS_ALL) -o $@ $^ $(LIBS)
$(B)/mlcd: $(call obj,runtime/cli/main.c) $(RT_LIB)
	$(CC) $(CFLAGS_ALL) -o $@ $^ $(LIBS)
$(B)/mlc-audit-verify: $(call obj,$(wildcard runtime/journal/verify/*.c))
	$(CC) $(CFLAGS_ALL) -o $@ $^ -lsodium
$(B)/sim-%: $(B)/obj/tests/sim/%/main.o $(SIM_LIB) $(RT_LIB)
	$(CC) $(CFLAGS_ALL) -o $@ $^ $(LIBS)
$(B)/tests/%: $(B)/obj/tests/%.o $(SIM_LIB) $(MLC_LIB) $(RT_LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -o $@ $^ $(LIBS)

clean:
	rm -rf $(B)
-include $(shell find $(B) -name '*.d' 2>/dev/null)
