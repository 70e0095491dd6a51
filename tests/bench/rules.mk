# Figures: the whole product at three sizes, its parts by themselves, and one mapping beside what else a user could take for it.
#
#   make bench          all of it: half an hour and more
#   make bench-compile  the compiler, and loading what it made: seconds
#   make bench-diff     mlc diff of large specs: seconds
#   make bench-poll     a poll that finds nothing changed, beside a program that only tokenises the same pages: minutes; BENCH_POLL_ROWS=20000: seconds
#   make bench-load     first loads against a slow Zoho stand-in, beside what docs/performance.md predicts: minutes
#   make bench-mapping  the mapping alone, 11 runs; bench-quick: 3 runs of fewer rows, under a minute
#   make bench-peers    builds the peers that are no packages (npm, cargo, go); without them they are skipped
BENCH_TOOLS  := $(B)/bench-peak $(B)/bench-micro $(B)/bench-compile $(B)/bench-diff $(B)/bench-tokenise
BENCH_MAP    := $(B)/bench-rows $(B)/bench-measure $(B)/bench-ref-jansson $(B)/bench-ref-simdjson $(B)/bench-ref-libxml2 $(B)/bench-map-xml
.PHONY: bench-compile bench-diff bench-poll bench-load bench-mapping bench-quick bench-peers
bench: all sims $(BENCH_TOOLS) bench-mapping
	@B=$(B) sh tests/bench/bench.sh
bench-compile: $(B)/bench-compile
	@$(B)/bench-compile
bench-diff: $(B)/bench-diff
	@$(B)/bench-diff
bench-poll: all sims $(BENCH_TOOLS)
	@B=$(B) sh tests/bench/poll.sh
bench-load: all sims $(BENCH_TOOLS)
	@B=$(B) sh tests/bench/load.sh
bench-mapping:
	@sh .ci/setup bench || echo "not every peer could be installed: those are skipped"
	@$(MAKE) --no-print-directory all $(BENCH_MAP)
	@python3 tests/bench/mapping/run.py $(B) --svg $(B)/mapping.svg --markdown $(B)/mapping.md $(BENCH_ARGS)
bench-quick: all $(BENCH_MAP)
	@python3 tests/bench/mapping/run.py $(B) --quick $(BENCH_ARGS)
bench-peers:
	@B=$(abspath $(B)) sh tests/bench/mapping/peers.sh
$(B)/bench-peak $(B)/bench-micro $(B)/bench-compile $(B)/bench-diff $(B)/bench-tokenise: $(B)/bench-%: $(B)/obj/tests/bench/%.o $(MLC_LIB) $(RT_LIB)
	$(link)
$(B)/bench-rows $(B)/bench-measure: $(B)/bench-%: tests/bench/mapping/%.c
	@mkdir -p $(@D)
	$(call say,cc,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $<
# The references: our flags for speed, and the warnings that hold for both languages.
$(B)/bench-ref-jansson: tests/bench/mapping/ref_jansson.c tests/bench/mapping/reference.h
	$(call say,cc,$<)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(OPT) $(WARN) -o $@ $< $(shell pkg-config --cflags --libs jansson)
$(B)/bench-ref-libxml2: tests/bench/mapping/ref_libxml2.c tests/bench/mapping/reference.h
	$(call say,cc,$<)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(OPT) $(WARN) -o $@ $< $(shell pkg-config --cflags --libs libxml-2.0)
$(B)/bench-map-xml: $(B)/obj/tests/bench/mapping/map_xml.o $(MLC_LIB) $(RT_LIB)
	$(link)
$(B)/bench-ref-simdjson: tests/bench/mapping/ref_simdjson.cc tests/bench/mapping/reference.h
	$(call say,c++,$<)
	$(Q)if [ -n "$(shell pkg-config --libs simdjson 2>/dev/null)" ]; then \
	    $(CXX) -std=c++17 $(OPT) -Wall -Wextra -o $@ $< $(shell pkg-config --cflags --libs simdjson 2>/dev/null); \
	else echo "simdjson is not installed: that reference is left out"; fi
