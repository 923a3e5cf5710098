/* A plugin of qemu's user mode: at its end, a program says on the error output how many instructions it has executed. */

#include "qemu_plugin.h"
#include <inttypes.h>
#include <stdio.h>

int qemu_plugin_version = 1;

static uint64_t executed;

/* Each time a block of instructions runs, their number is added. */
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
	(void) id;
	qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &executed, qemu_plugin_tb_n_insns(block));
}

static void ended(qemu_plugin_id_t id, void *data)
{
	(void) id;
	(void) data;
	fprintf(stderr, "instructions %" PRIu64 "\n", executed);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *machine, int argc, char **argv)
{
	(void) machine;
	(void) argc;
	(void) argv;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
