# The scanner for secrets where none may stand; tests/e2e/lib.sh runs it at the end of each end-to-end test.
sims: $(B)/secret-scan
$(B)/secret-scan: $(call obj,tests/secrets/scan.c)
	$(call say,ld,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^
