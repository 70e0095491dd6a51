# rules.mk - the crash harness: crash-harness builds it, crash-bounded and crash-full run it. LMDB is linked statically, so that its calls are
# wrapped like ours.
CRASH_SRC   := $(wildcard tests/fault/crash_*.c) tests/fault/platter.c
CRASH_CALLS := open close read pread write pwrite writev fdatasync fsync msync ftruncate rename unlink mkdir stat scandir flock fcntl mmap \
               malloc calloc realloc emit_end emit_commit journal_commit lines_match secret_put slot_erase
CRASH_IMAGE := $(B)/tests/fault/customers.mlcb

.PHONY: crash-harness crash-bounded crash-full
CRASH_MORE  := $(B)/tests/fault/more.mlcb $(B)/tests/fault/more2.mlcb
crash-harness: $(B)/crash-harness $(CRASH_IMAGE) $(CRASH_MORE)
test-built: crash-harness
torture: crash-full
$(CRASH_IMAGE): tests/fault/customers.mlc $(B)/mlc
	@mkdir -p $(@D)
	$(Q)$(B)/mlc build $< -o $@ >/dev/null
$(B)/tests/fault/more.mlcb: tests/fault/more.mlc $(B)/mlc
	@mkdir -p $(@D)
	$(Q)$(B)/mlc build $< -o $@ >/dev/null
$(B)/tests/fault/more2.mlcb: tests/fault/more.mlc $(B)/mlc
	@mkdir -p $(@D)
	$(Q)sed 's/^  Sage_Status *= "Active"/&\n  Billing_Country = "USA"/' $< >$(@D)/more2.mlc
	$(Q)$(B)/mlc build $(@D)/more2.mlc -o $@ >/dev/null
$(B)/crash-harness: $(call obj,$(CRASH_SRC)) $(SIM_LIB) $(RT_LIB)
	$(call say,ld,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $(foreach c,$(CRASH_CALLS),-Wl,--wrap=$(c)) -o $@ $^ $(subst -llmdb,-l:liblmdb.a,$(LIBS))
crash-bounded: crash-harness
	$(B)/crash-harness --bounded --image $(CRASH_IMAGE)
crash-full: crash-harness
	$(B)/crash-harness --full --image $(CRASH_IMAGE)
