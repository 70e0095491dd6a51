# rules.mk - the long shares of tests/unit/reference, part of `make torture`: 100,000 random specs of 100 rows, a million rows of every example into the
# model of Zoho, mutants of 20,000 programs, versions of 20,000 programs for mlc diff. The bounded shares are part of `make test`.
.PHONY: torture-reference
torture: torture-reference
torture-reference: units
	MLC_SEED=1 MLC_RUNS=100000 MLC_ROWS=100 $(B)/tests/unit/reference/agree_test
	MLC_RUNS=20000 MLC_MUTANTS=100 $(B)/tests/unit/reference/mutate_programs_test
	MLC_PROVED_ROWS=1000000 $(B)/tests/unit/reference/proved_test
	MLC_RUNS=20000 $(B)/tests/unit/reference/diff_agree_test
# The conformance test compiles the generated parser once more, with its trace.
$(B)/obj/tests/unit/reference/conformance_test.o: | $(B)/gen/parser.tab.c
# Compares the states of both models; the end-to-end tests call it.
sims: $(B)/world-check
$(B)/world-check: $(call obj,tests/reference/cli/world_check.c) $(SIM_LIB) $(MLC_LIB) $(RT_LIB)
	$(link) -lm
