# rules.mk - the long shares of unit tests, part of `make torture`: each bit of a log and of an index flipped, by itself (tests/unit/journal/tamper_test.c,
# tests/unit/store/walk_test.c).
.PHONY: torture-flips
torture: torture-flips
torture-flips: $(B)/tests/unit/journal/tamper_test $(B)/tests/unit/store/walk_test
	FLIPS=all $(B)/tests/unit/journal/tamper_test
	FLIPS=all $(B)/tests/unit/store/walk_test
