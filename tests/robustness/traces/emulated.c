/* A plugin of qemu's user mode: tells what a program executes between two marks, without pauses, and which addresses it uses.
 *
 * It writes words of 64 bits to the file that its argument `to` names: the address of each block of instructions that is executed,
 * each address of memory that is read or written, and DIVISION for a division, whose time may depend on its operands. What it
 * tells at the end is END and the number of instructions. The marks are calls of close() with these numbers, which are no files. */

#include "qemu_plugin.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN_MARK UINT32_C(0x40746001)
#define END_MARK UINT32_C(0x40746002)
#define PAUSE_MARK UINT32_C(0x40746003)
#define RESUME_MARK UINT32_C(0x40746004)
#define DIVISION UINT64_MAX
#define END (UINT64_MAX - 1)

int qemu_plugin_version = 1;

static FILE *to;
/* Between the marks, in a pause, and what follows from these. */
static bool begun, paused, tells;
static uint64_t instructions;

static void tell(uint64_t word)
{
	if (fwrite(&word, sizeof word, 1, to) != 1) {
		fprintf(stderr, "nobody listens any more\n");
		_Exit(2);
	}
}

/* What is known of a block. */
struct block {
	uint64_t address;
	uint64_t length;
};

static void executed(unsigned cpu, void *data)
{
	const struct block *block = data;

	(void) cpu;
	if (tells) {
		tell(block->address);
		instructions += block->length;
	}
}

static void divides(unsigned cpu, void *data)
{
	(void) cpu;
	(void) data;
	if (tells) {
		tell(DIVISION);
	}
}

static void accessed(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
	(void) cpu;
	(void) info;
	(void) data;
	if (tells) {
		tell(address);
	}
}

/* By its name: sdiv and udiv of ARM, div and rem of RISC-V, divd and modsd of PowerPC, and those of z/Architecture, which begin
 * with a d. */
static bool is_division(const char *text)
{
	return strstr(text, "div") || !strncmp(text, "rem", 3) || !strncmp(text, "mod", 3)
			|| (*text == 'd' && strspn(text, "dlgsrf") == strcspn(text, " \t"));
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *translated_block)
{
	size_t length = qemu_plugin_tb_n_insns(translated_block), i;
	struct block *block = malloc(sizeof *block);

	(void) id;
	if (!block) {
		_Exit(2);
	}
	block->address = qemu_plugin_tb_vaddr(translated_block);
	block->length = length;
	qemu_plugin_register_vcpu_tb_exec_cb(translated_block, executed, QEMU_PLUGIN_CB_NO_REGS, block);
	for (i = 0; i < length; i++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(translated_block, i);
		char *text = qemu_plugin_insn_disas(instruction);

		if (text && is_division(text)) {
			qemu_plugin_register_vcpu_insn_exec_cb(instruction, divides, QEMU_PLUGIN_CB_NO_REGS, NULL);
		}
		free(text);
		qemu_plugin_register_vcpu_mem_cb(instruction, accessed, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
	}
}

static void called(qemu_plugin_id_t id, unsigned cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
		uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
	(void) id, (void) cpu, (void) number, (void) a2, (void) a3, (void) a4, (void) a5, (void) a6, (void) a7, (void) a8;
	switch ((uint32_t) a1) {
	case BEGIN_MARK:
		begun = true;
		break;
	case END_MARK:
		begun = false;
		tell(END);
		tell(instructions);
		fflush(to);
		break;
	case PAUSE_MARK:
		paused = true;
		break;
	case RESUME_MARK:
		paused = false;
		break;
	}
	tells = begun && !paused;
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *machine, int argc, char **argv)
{
	(void) machine;
	if (argc != 1 || strncmp(argv[0], "to=", 3) || !(to = fopen(argv[0] + 3, "wb"))) {
		fprintf(stderr, "this plugin has one argument: to=FILE\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_vcpu_syscall_cb(id, called);
	return 0;
}
