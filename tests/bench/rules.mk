# Figures: the whole product at three sizes, and its parts by themselves.
BENCH_TOOLS := $(B)/bench-peak $(B)/bench-micro
bench: all sims $(BENCH_TOOLS)
	@B=$(B) sh tests/bench/bench.sh
$(B)/bench-%: $(B)/obj/tests/bench/%.o $(MLC_LIB) $(RT_LIB)
	$(link)
