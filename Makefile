# ml-connector. `make` builds; `make test` and `make demo` first install what is missing (.ci/setup). See README.md.
#
#   make            build/mlc, build/mlcd, build/mlc-audit-verify
#   make test       everything that proves the product in under 15 minutes; last line "N passed, N failed"; TESTS=unit/net: those with it in their name
#   make demo       1,000 customers from a Sage stand-in into a Zoho stand-in, explained as it goes
#   make agent      the Windows agent's EXEs; make test-agent runs them under wine (runtime/agent/rules.mk)
#   make planted    some forty bugs compiled in, one after the other: which harness finds each, and how fast (tests/plant)
#   make lint | clang | asan | fuzz | torture | bench | coverage | check-openapi | install
B        ?= build
ifeq ($(origin CC),default)
CC       := gcc
endif
V        ?= 0
Q        := $(if $(filter 0,$(V)),@,)
say       = $(if $(filter 0,$(V)),@printf '  %-5s %s\n' $(1) $(2),@:)
PKGS     := libcurl libxml-2.0 jansson libsodium libmicrohttpd zlib libzip libseccomp
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
OPT      ?= -O2 -g
CFLAGS   ?= $(OPT)
SAN      ?=
CPPFLAGS_ALL = -std=c11 -D_GNU_SOURCE -Iruntime -I. -I$(B)/gen $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
CFLAGS_ALL   = $(CFLAGS) $(WARN) -fno-strict-aliasing -fstack-protector-strong -ffunction-sections -MMD -MP $(SAN)
LDFLAGS  ?= -Wl,-z,relro,-z,now
LIBS      = -llmdb $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lpthread
PREFIX   ?= /usr/local

RT_SRC   := $(filter-out runtime/cli/main.c runtime/journal/verify/main.c runtime/agent/win/%,$(wildcard runtime/*/*.c runtime/*/*/*.c))
MLC_SRC  := $(filter-out compiler/cli/main.c,$(wildcard dsl/*.c compiler/*.c compiler/*/*.c))
GEN_SRC  := $(patsubst grammar/%.re,$(B)/gen/%.c,$(wildcard grammar/*.re)) $(patsubst grammar/%.y,$(B)/gen/%.tab.c,$(wildcard grammar/*.y))
SIM_SRC  := $(filter-out %/main.c tests/sim/run/%,$(wildcard tests/sim/*.c tests/sim/*/*.c tests/fault/*disk*.c tests/reference/*.c tests/agent/standin*.c))
UNIT_SRC := $(wildcard tests/unit/*/*_test.c tests/unit/*/*/*_test.c)
obj       = $(patsubst %.c,$(B)/obj/%.o,$(1))

RT_LIB   := $(B)/libmlrt.a
MLC_LIB  := $(B)/libmlc.a
SIM_LIB  := $(B)/libsim.a
BINS     := $(B)/mlc $(B)/mlcd $(B)/mlc-audit-verify
SIMS     := $(patsubst tests/sim/%/main.c,$(B)/sim-%,$(filter-out tests/sim/run/%,$(wildcard tests/sim/*/main.c)))
UNITS    := $(patsubst tests/%.c,$(B)/tests/%,$(UNIT_SRC))

.SECONDARY:                              # what stands between a source and a program is kept: a second make does nothing
.PHONY: all clean units sims setup test test-built lint clang asan fuzz torture bench demo check-openapi install
all: $(BINS)
sims: $(SIMS)
units: $(UNITS)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,cc,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c $< -o $@
$(B)/obj/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	$(call say,cc,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) -Igrammar $(CFLAGS_ALL) -c $< -o $@
$(B)/gen/%.c: grammar/%.re | $(B)/gen/parser.tab.c
	@mkdir -p $(@D)
	$(call say,re2c,$<)
	$(Q)re2c -W -Werror --no-debug-info -i -o $@ $<
$(B)/gen/%.tab.c: grammar/%.y
	@mkdir -p $(@D)
	$(call say,bison,$<)
	$(Q)bison -Wall -Werror -Wno-yacc --defines=$(B)/gen/$*.tab.h -o $@ $<
$(MLC_LIB): $(call obj,$(MLC_SRC)) $(patsubst $(B)/gen/%.c,$(B)/obj/gen/%.o,$(GEN_SRC))
$(RT_LIB): $(call obj,$(RT_SRC))
$(SIM_LIB): $(call obj,$(SIM_SRC))
$(MLC_LIB) $(RT_LIB) $(SIM_LIB):
	@rm -f $@
	$(call say,ar,$@)
	$(Q)$(AR) rcs $@ $^
# What is generated and included must stand before anything is compiled.
GEN_INC  := $(B)/gen/prelude.inc $(if $(wildcard docs/diagnostics),$(B)/gen/explain.inc)
$(call obj,$(MLC_SRC)): | $(patsubst grammar/%.y,$(B)/gen/%.tab.c,$(wildcard grammar/*.y)) $(GEN_INC)
$(B)/gen/prelude.inc: $(wildcard dsl/prelude/*.mlc) grammar/embed.sh
	@mkdir -p $(@D)
	$(Q)sh grammar/embed.sh dsl/prelude > $@
$(call obj,$(wildcard runtime/agent/layout.c)): | $(B)/gen/agent_columns.inc
$(B)/gen/agent_columns.inc: $(wildcard dsl/prelude/sage100*.mlc) runtime/agent/columns.awk
	@mkdir -p $(@D)
	$(Q)awk -f runtime/agent/columns.awk $(wildcard dsl/prelude/sage100*.mlc) > $@
$(B)/gen/explain.inc: $(wildcard docs/diagnostics/*.md) grammar/embed.sh
	@mkdir -p $(@D)
	$(Q)sh grammar/embed.sh docs/diagnostics md > $@

link = @$(if $(filter 0,$(V)),printf '  %-5s %s\n' ld $@;) $(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS)
$(B)/mlc: $(call obj,compiler/cli/main.c) $(MLC_LIB) $(RT_LIB)
	$(link)
$(B)/mlcd: $(call obj,runtime/cli/main.c) $(RT_LIB)
	$(link)
$(B)/mlc-audit-verify: $(call obj,$(wildcard runtime/journal/verify/*.c))
	$(call say,ld,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ -lsodium
$(B)/sim-%: $(B)/obj/tests/sim/%/main.o $(SIM_LIB) $(RT_LIB)
	$(link)
$(B)/tests/%: $(B)/obj/tests/%.o $(SIM_LIB) $(MLC_LIB) $(RT_LIB)
	@mkdir -p $(@D)
	$(link)

# ---- proving ----
setup:
	@sh .ci/setup
# A first call may have to install pkg-config and friends, so the build runs in a make of its own, after setup.
test: setup
	@$(MAKE) --no-print-directory -j$(shell nproc) test-built
test-built: all sims units
	@B=$(B) sh tests/run.sh $(TESTS)
lint:
	@sh tests/lint/lint.sh
clang: setup
	@sh .ci/setup all
	@$(MAKE) --no-print-directory -j$(shell nproc) CC=clang B=$(B)-clang test-built
# With clang, in the build that fuzzing uses too (tests/fuzz/rules.mk).
asan: setup
	@sh .ci/setup all
	@SLOW=3 $(MAKE) --no-print-directory -j$(shell nproc) $(FUZZ_BUILD) test-built
demo: setup
	@$(MAKE) --no-print-directory -j$(shell nproc) all sims
	@B=$(B) sh examples/demo.sh
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(BINS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(wildcard docs/man/*.1) $(DESTDIR)$(PREFIX)/share/man/man1
clean:
	rm -rf $(B) $(B)-fuzz $(B)-clang $(B)-coverage

-include $(wildcard tests/*/rules.mk tests/*/*/rules.mk) runtime/agent/rules.mk
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
