# rules.mk - the long share of the end-to-end tests, part of `make torture`: more of them with every call of mlcd in a unit of a real systemd.
.PHONY: torture-systemd
torture: torture-systemd
torture-systemd: all sims
	@B=$(B) FLOWS=all sh tests/e2e/systemd_flows_test.sh
