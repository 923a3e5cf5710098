/* What the plugins of qemu's user mode here need of its interface, version 1. Debian does not package qemu-plugin.h. */

#ifndef QEMU_PLUGIN_H
#define QEMU_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
/* A block of instructions that is translated at once, and one of them. */
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_RW = 3 };
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

typedef void (*translated_fn)(qemu_plugin_id_t id, struct qemu_plugin_tb *block);
typedef void (*ended_fn)(qemu_plugin_id_t id, void *data);
typedef void (*executed_fn)(unsigned cpu, void *data);
typedef void (*accessed_fn)(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data);
typedef void (*called_fn)(qemu_plugin_id_t id, unsigned cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
		uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8);

extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated_fn translated);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, executed_fn executed,
		enum qemu_plugin_cb_flags flags, void *data);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, enum qemu_plugin_op operation, void *at,
		uint64_t operand);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction, executed_fn executed,
		enum qemu_plugin_cb_flags flags, void *data);
extern void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *instruction, accessed_fn accessed,
		enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw which, void *data);
extern void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id, called_fn called);
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, ended_fn ended, void *data);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t at);
extern char *qemu_plugin_insn_disas(const struct qemu_plugin_insn *instruction);

/* What a plugin defines. */
extern int qemu_plugin_version;
int qemu_plugin_install(qemu_plugin_id_t id, const void *machine, int argc, char **argv);

#endif
