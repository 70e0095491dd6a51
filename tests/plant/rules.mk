# rules.mk - planted bugs: each tests/plant/NAME.patch is one mistake, compiled in, that a harness of ours has to find.
#
#   make planted                    all of them: which harness found each, and how fast; a few minutes
#   make planted PLANTED=lines      those with it in their name
#
# Only the file that a patch changes is compiled anew; it is linked in front of the libraries, whose own object of it is then left out.
PLANTED   ?=
PLANT     ?= none
PLANT_DIR := $(B)/plant/$(PLANT)
PLANT_OBJ := $(PLANT_DIR)/planted.o

.PHONY: planted
planted: all sims units crash-harness
	@B=$(B) MAKE="$(MAKE)" sh tests/plant/run.sh $(PLANTED)
torture: planted
# PLANT_FILE is the file that is changed; includes in quotes are found where it stands.
$(PLANT_OBJ): $(PLANT_DIR)/src/$(PLANT_FILE)
	$(Q)$(CC) -iquote $(dir $(PLANT_FILE)) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -Wno-unused-function -Wno-unused-parameter -Wno-unused-variable -c $< -o $@
# A test may include the file itself, to reach what is static in it: it is compiled anew too, and its own copy is the first.
$(PLANT_DIR)/unit/%.o: tests/unit/%.c $(PLANT_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) -I$(PLANT_DIR)/src/runtime -I$(PLANT_DIR)/src $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c $< -o $@
$(PLANT_DIR)/unit/%: $(PLANT_DIR)/unit/%.o $(PLANT_OBJ) $(SIM_LIB) $(MLC_LIB) $(RT_LIB)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -Wl,-z,muldefs -o $@ $^ $(LIBS)
$(PLANT_DIR)/crash-harness: $(PLANT_OBJ) $(call obj,$(CRASH_SRC)) $(SIM_LIB) $(RT_LIB)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) $(foreach c,$(CRASH_CALLS),-Wl,--wrap=$(c)) -o $@ $^ $(subst -llmdb,-l:liblmdb.a,$(LIBS))
$(PLANT_DIR)/mlcd: $(PLANT_OBJ) $(call obj,runtime/cli/main.c) $(RT_LIB)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS)
