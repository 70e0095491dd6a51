# rules.mk - the Windows agent: static EXEs for both bitnesses with Debian's mingw-w64, no runtime to install.
#
#   make agent        build/agent/mlc-boi-agent-x64.exe (64 bit), mlc-boi-agent-x86.exe (32 bit); Sage registers one bitness
#   make scan-agent   figures of a scan of 200,000 rows
#   make test-agent   the real EXEs under headless wine, with a stand-in for Sage's COM server (tests/agent)
AGENT_SRC  := $(wildcard runtime/agent/*.c runtime/agent/win/*.c) $(addprefix runtime/base/,arena.c buf.c str.c err.c check.c) runtime/value/json.c runtime/value/json_pass.c
STANDIN_SRC := $(wildcard tests/agent/standin*.c tests/agent/com_*.c) $(addprefix runtime/base/,buf.c str.c check.c)
AGENT_WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror -Wno-format -Wno-pedantic-ms-format
AGENT_FLAGS = -std=c11 -O2 -g0 $(AGENT_WARN) -D__USE_MINGW_ANSI_STDIO=1 -DUNICODE -D_UNICODE -Iruntime -I. -I$(B)/gen -fno-strict-aliasing -ffunction-sections -MMD -MP
AGENT_LINK := -static -Wl,--gc-sections -s -Wl,--nxcompat -Wl,--dynamicbase -lole32 -loleaut32 -luuid -lhttpapi -lcrypt32 -ladvapi32 -lshell32
AGENT_CC_x64 := x86_64-w64-mingw32-gcc
AGENT_CC_x86 := i686-w64-mingw32-gcc
AGENT_EXES := $(foreach a,x64 x86,$(B)/agent/mlc-boi-agent-$(a).exe)
STANDIN_EXES := $(foreach a,x64 x86,$(B)/agent/sage-standin-$(a).exe)

.PHONY: agent agent-built agent-tools test-agent scan-agent
agent:
	@sh .ci/setup-agent build
	@$(MAKE) --no-print-directory -j$(shell nproc) agent-built
agent-built: $(AGENT_EXES)
agent-tools: $(STANDIN_EXES) $(B)/agent-conformance
$(B)/agent-conformance: $(call obj,$(wildcard tests/agent/conformance*.c))
	$(call say,ld,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ -lcurl -ljansson
test-agent:
	@sh tests/agent/run.sh
scan-agent:
	@SCAN_ROWS=200000 TESTS=scan sh tests/agent/run.sh

define agent_rules
$(B)/agent/$(1)/%.o: %.c | $(B)/gen/agent_columns.inc
	@mkdir -p $$(@D)
	$$(call say,cc-$(1),$$<)
	$(Q)$(AGENT_CC_$(1)) $$(AGENT_FLAGS) -c $$< -o $$@
$(B)/agent/mlc-boi-agent-$(1).exe: $(patsubst %.c,$(B)/agent/$(1)/%.o,$(AGENT_SRC))
	$$(call say,ld,$$@)
	$(Q)$(AGENT_CC_$(1)) -o $$@ $$^ $(AGENT_LINK)
$(B)/agent/sage-standin-$(1).exe: $(patsubst %.c,$(B)/agent/$(1)/%.o,$(STANDIN_SRC))
	$$(call say,ld,$$@)
	$(Q)$(AGENT_CC_$(1)) -o $$@ $$^ $(AGENT_LINK)
endef
$(foreach a,x64 x86,$(eval $(call agent_rules,$(a))))
-include $(shell find $(B)/agent -name '*.d' 2>/dev/null)
