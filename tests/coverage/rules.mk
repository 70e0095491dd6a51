# rules.mk - branch coverage of the rooms that must not lose anything and of those that read what strangers send.
#
#   make coverage                         builds them with gcc's --coverage in a directory of its own, runs their tests, prints a line per file
#   make coverage COVER_SHOW=journal      also every uncovered branch of the files with this in their path (COVER_SHOW=. : of all)
#   make coverage COVER_RUN=unit/secret   runs only tests with this in their name, on top of what earlier runs counted; COVER_RUN=none: only prints
#   make coverage COVER_FRESH=0           keeps the counts of earlier runs
#
# Only the objects below are instrumented, without optimization, so that a branch is one of the source. Ends with "N passed, N failed": a file passes
# with at least COVER_MIN per cent; see exceptions for what is not counted.
COVER_MIN   ?= 95
COVER_SHOW  ?=
COVER_RUN   ?=
COVER_FRESH ?= $(if $(COVER_RUN),0,1)
# Processes that are killed, or end by _exit, write their counts by this function (tests/fault/counted.h).
COVER_LINK  := --coverage -Wl,--undefined=__gcov_dump
# What reads bytes of strangers: the systems' answers, their notifications, the network's frames, files, addresses that the agent is asked for, and an image
# or a value of the index that somebody may have changed.
COVER_SCAN  := $(wildcard runtime/value/json*.c runtime/serve/*.c runtime/net/curl_http.c runtime/net/pace.c runtime/connectors/file/file_rows.c) \
    $(wildcard $(patsubst %,runtime/connectors/sage/%*.c,xml agent_ contract key_file soap)) \
    $(wildcard $(patsubst %,runtime/connectors/zoho/%*.c,bulk classify describe lookup meta notify oauth rows scan users)) \
    $(wildcard runtime/code/image_load.c runtime/code/image_types.c runtime/code/image_verify*.c) $(addprefix runtime/value/,record.c value.c) \
    $(addprefix runtime/agent/,cursor.c key.c route.c)
# What must not lose anything: log, verifier, index, keys; and what a start does after a crash, a damage or a restore, with what is erased and settled then.
COVER_STATE := $(wildcard runtime/journal/*.c runtime/journal/verify/*.c runtime/store/*.c runtime/secret/*.c) \
    $(addprefix runtime/sync/,start.c emit.c settle.c erase.c repair.c backup.c restored.c)
COVER_SRC   := $(COVER_STATE) $(COVER_SCAN)

ifdef COVER
$(call obj,$(COVER_SRC)): OPT = -O0 -g --coverage
endif

.PHONY: coverage coverage-built
coverage-built: units $(B)/mlc-audit-verify $(B)/secret-scan crash-harness $(patsubst tests/fuzz/%_fuzz.c,$(B)/replay/%,$(wildcard tests/fuzz/*_fuzz.c))
coverage:
	@$(MAKE) --no-print-directory -j$(shell nproc) B=$(B)-coverage COVER=1 LDFLAGS="$(COVER_LINK)" coverage-built
	@B=$(B)-coverage MIN=$(COVER_MIN) SHOW='$(COVER_SHOW)' RUN='$(COVER_RUN)' FRESH=$(COVER_FRESH) sh tests/coverage/coverage.sh $(COVER_SRC)
