# rules.mk - the simulation: `make sim` runs it, `make test` a few seeds of it, `make torture` a thousand of thirty days. LMDB is linked statically and
# its calls are wrapped as in the crash harness, whose files are part of it.
SIM_RUN_SRC   := $(wildcard tests/sim/run/*.c) tests/fault/crash_io.c tests/fault/crash_memory.c tests/fault/crash_net.c tests/fault/crash_plant.c tests/fault/crash_state.c \
                 tests/fault/platter.c
SIM_RUN_IMAGE := $(B)/tests/sim/run/world.mlcb $(B)/tests/sim/run/world2.mlcb $(B)/tests/sim/run/org.json
SEED  ?=
SEEDS ?=
COUNT ?=
DAYS  ?= 30
JOBS  ?= $(shell nproc)

.PHONY: sim sim-run sim-full
sim-run: $(B)/sim-run $(SIM_RUN_IMAGE)
test-built: sim-run
torture: sim-full
# The second spec reads a column more and moves a threshold.
$(B)/tests/sim/run/world.mlc: tests/sim/run/world.mlc
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(B)/tests/sim/run/world2.mlc: tests/sim/run/world.mlc
	@mkdir -p $(@D)
	$(Q)sed -e 's/CreditLimit > 5000/CreditLimit > 7500/' -e 's/^  Billing_Code  = ZipCode$$/&\n  Billing_State = State/' $< > $@
$(B)/tests/sim/run/org.json: tests/sim/run/org.jq tests/sim/zoho/data/professional.json
	@mkdir -p $(@D)
	$(Q)jq -f $^ > $@
$(B)/tests/sim/run/%.mlcb: $(B)/tests/sim/run/%.mlc $(B)/mlc
	$(Q)$(B)/mlc build $< -o $@ >/dev/null
$(B)/sim-run: $(call obj,$(SIM_RUN_SRC)) $(SIM_LIB) $(MLC_LIB) $(RT_LIB)
	$(call say,ld,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $(foreach c,$(CRASH_CALLS),-Wl,--wrap=$(c)) -o $@ $^ $(subst -llmdb,-l:liblmdb.a,$(LIBS)) -lm
sim: sim-run
	$(B)/sim-run $(if $(SEED),--seed $(SEED),$(if $(SEEDS),--seeds $(SEEDS),--count $(or $(COUNT),20))) --days $(DAYS) --jobs $(JOBS)
sim-full: sim-run
	$(B)/sim-run --count 1000 --days 30 --jobs $(JOBS) --hits 100
	$(B)/sim-run --count 100 --days 30 --jobs $(JOBS) --memory
	$(B)/sim-run --pinned --jobs $(JOBS)
	$(B)/sim-run --plants --days 30 --jobs $(JOBS)
