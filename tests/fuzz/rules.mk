# rules.mk - fuzzing with clang's libFuzzer, ASan and UBSan. Each tests/fuzz/X_fuzz.c is one target.
#
#   make fuzz                       every target for FUZZ_SECONDS (60) seconds, beginning with tests/fuzz/seeds and what earlier runs found
#   make fuzz FUZZ=soap             one target
#
#   make torture                    (also the full crash harness) every target for TORTURE_SECONDS (900)
#
# The objects are instrumented, so they live in a build directory of their own: make calls itself with B=$(B)-fuzz.
#
# Every seed, and every input that once found something, is also run by `make test`, without libFuzzer: build/replay/X (replay.c).
FUZZ_SECONDS ?= 60
TORTURE_SECONDS ?= 900
FUZZ         ?=
FUZZ_BINS    := $(patsubst tests/fuzz/%_fuzz.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
REPLAY_BINS  := $(patsubst tests/fuzz/%_fuzz.c,$(B)/replay/%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_BUILD   := CC=clang B=$(B)-fuzz OPT='-O1 -g' LDFLAGS= SAN='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DSANITIZED'

.PHONY: fuzz-built torture-fuzz
torture: torture-fuzz
torture-fuzz:
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=$(TORTURE_SECONDS)
fuzz-built: $(FUZZ_BINS) $(B)/mlc
$(B)/fuzz/%: $(B)/obj/tests/fuzz/%_fuzz.o $(SIM_LIB) $(MLC_LIB) $(RT_LIB)
	@mkdir -p $(@D)
	$(call say,ld,$@)
	$(Q)$(CC) $(CFLAGS_ALL) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LIBS)

test-built: $(REPLAY_BINS)
$(B)/replay/%: $(B)/obj/tests/fuzz/%_fuzz.o $(B)/obj/tests/fuzz/replay.o $(SIM_LIB) $(MLC_LIB) $(RT_LIB)
	@mkdir -p $(@D)
	$(link)

fuzz:
	@sh .ci/setup all
	@$(MAKE) --no-print-directory -j$(shell nproc) $(FUZZ_BUILD) fuzz-built
	@B=$(B)-fuzz sh tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ)
