/*
 * The floor: what the same work costs in C with nothing around it. Each command prints one number.
 *
 *   floor exits KIND N    nanoseconds an exit, KIND one of out, in, mmio-read, mmio-write
 *   floor accesses KIND N nanoseconds an access of a counted loop, exit or not: as above, and ro-read, ro-write
 *   floor console N       nanoseconds a console byte, an exit a byte
 *   floor lifecycle N     nanoseconds to create a VM, run it to its first exit and destroy it, with the fewest calls
 *   floor monitor N       the same with what a monitor for any guest sets up and reads back besides: CPUID, the pages
 *                         that VMX needs, a signal mask for KVM_RUN, mergeable memory, the registers at the end
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define RAM (16u << 20)

struct vm {
	int fd, vcpu;
	uint8_t *ram;
	struct kvm_run *run;
};

static int kvm;
static size_t run_size;

static void check(int failed, const char *what)
{
	if (!failed)
		return;
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static struct vm create(const uint8_t *code, size_t length)
{
	struct vm vm;
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rflags = 2, .rsp = 0xfffe };
	struct kvm_userspace_memory_region slot = { .memory_size = RAM };

	vm.fd = ioctl(kvm, KVM_CREATE_VM, 0);
	check(vm.fd < 0, "KVM_CREATE_VM");
	vm.ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	check(vm.ram == MAP_FAILED, "mmap");
	memcpy(vm.ram, code, length);
	slot.userspace_addr = (uintptr_t)vm.ram;
	check(ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &slot) < 0, "KVM_SET_USER_MEMORY_REGION");
	vm.vcpu = ioctl(vm.fd, KVM_CREATE_VCPU, 0);
	check(vm.vcpu < 0, "KVM_CREATE_VCPU");
	vm.run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vm.vcpu, 0);
	check(vm.run == MAP_FAILED, "mmap kvm_run");
	check(ioctl(vm.vcpu, KVM_GET_SREGS, &sregs) < 0, "KVM_GET_SREGS");
	sregs.cs.base = sregs.cs.selector = 0;
	/* Reach 2 MiB from real mode, for the MMIO loops: a data segment with a base, as the monitor may set one. */
	sregs.ds.base = 0x2000000;
	check(ioctl(vm.vcpu, KVM_SET_SREGS, &sregs) < 0, "KVM_SET_SREGS");
	check(ioctl(vm.vcpu, KVM_SET_REGS, &regs) < 0, "KVM_SET_REGS");
	return vm;
}

static void destroy(struct vm *vm)
{
	munmap(vm->run, run_size);
	close(vm->vcpu);
	close(vm->fd);
	munmap(vm->ram, RAM);
}

/* What every monitor does that has to run any guest, and any host's KVM. */
static struct kvm_cpuid2 *cpuid;

static void prepare_monitor(void)
{
	cpuid = calloc(1, sizeof(*cpuid) + 256 * sizeof(struct kvm_cpuid_entry2));
	cpuid->nent = 256;
	check(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) < 0, "KVM_GET_SUPPORTED_CPUID");
}

static void set_up(struct vm *vm)
{
	struct {
		struct kvm_signal_mask head;
		uint64_t set;
	} __attribute__((packed)) mask = { .head = { .len = 8 } };

	madvise(vm->ram, RAM, MADV_MERGEABLE);
	check(ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000) < 0, "KVM_SET_TSS_ADDR");
	check(ioctl(vm->vcpu, KVM_SET_SIGNAL_MASK, &mask) < 0, "KVM_SET_SIGNAL_MASK");
	check(ioctl(vm->vcpu, KVM_SET_CPUID2, cpuid) < 0, "KVM_SET_CPUID2");
}

static void read_back(struct vm *vm)
{
	struct kvm_regs regs;
	struct kvm_sregs sregs;

	check(ioctl(vm->vcpu, KVM_GET_REGS, &regs) < 0, "KVM_GET_REGS");
	check(ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) < 0, "KVM_GET_SREGS");
}

static volatile uint64_t sink;

/* Runs `n` exits the way every small monitor does: one switch, one device. */
static void run(struct vm *vm, long n)
{
	struct kvm_run *run = vm->run;

	while (n-- > 0) {
		check(ioctl(vm->vcpu, KVM_RUN, 0) < 0, "KVM_RUN");
		switch (run->exit_reason) {
		case KVM_EXIT_IO:
			if (run->io.direction == KVM_EXIT_IO_OUT)
				sink += *((uint8_t *)run + run->io.data_offset);
			else
				*((uint8_t *)run + run->io.data_offset) = 0x42;
			break;
		case KVM_EXIT_MMIO:
			if (run->mmio.is_write)
				sink += run->mmio.data[0];
			else
				memset(run->mmio.data, 0x42, run->mmio.len);
			break;
		case KVM_EXIT_HLT:
			break;
		default:
			fprintf(stderr, "exit reason %u\n", run->exit_reason);
			exit(1);
		}
	}
}

static const uint8_t out_loop[] = { 0xe6, 0x80, 0xeb, 0xfc };              /* 1: out %al,$0x80; jmp 1b */
static const uint8_t in_loop[] = { 0xe4, 0x80, 0xeb, 0xfc };               /* 1: in $0x80,%al; jmp 1b */
static const uint8_t read_loop[] = { 0xa0, 0x00, 0x00, 0xeb, 0xfb };       /* 1: mov 0,%al; jmp 1b */
static const uint8_t write_loop[] = { 0xa2, 0x00, 0x00, 0xeb, 0xfb };      /* 1: mov %al,0; jmp 1b */
static const uint8_t halt[] = { 0xf4 };

static double time_exits(const char *kind, long n)
{
	struct vm vm;
	double started;

	if (!strcmp(kind, "out"))
		vm = create(out_loop, sizeof(out_loop));
	else if (!strcmp(kind, "in"))
		vm = create(in_loop, sizeof(in_loop));
	else if (!strcmp(kind, "mmio-read"))
		vm = create(read_loop, sizeof(read_loop));
	else
		vm = create(write_loop, sizeof(write_loop));
	run(&vm, n / 10 + 1);
	started = now();
	run(&vm, n);
	started = now() - started;
	destroy(&vm);
	return started / n;
}

static int by_value(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return difference < 0 ? -1 : difference > 0;
}

/* The median: a VM whose end waits for another process, or for the kernel's own work, says nothing of the calls. */
static double time_lifecycles(long n, int monitor)
{
	double *times = malloc(n * sizeof(*times));
	double median;

	check(n < 1 || !times, "lifecycles");
	for (long i = 0; i < n; i++) {
		double started = now();
		struct vm vm = create(halt, sizeof(halt));

		if (monitor)
			set_up(&vm);
		run(&vm, 1);
		if (monitor)
			read_back(&vm);
		destroy(&vm);
		times[i] = now() - started;
	}
	qsort(times, n, sizeof(*times), by_value);
	median = times[n / 2];
	free(times);
	return median;
}

/* mov $n,%cx; 1: the access; loop 1b; hlt. The kinds that begin with ro find a read-only page where the others find none. */
static double time_accesses(const char *kind, long n)
{
	uint8_t code[] = { 0xb9, n & 0xff, n >> 8, 0xe6, 0x80, 0xe2, 0xfc, 0xf4, 0xf4 };
	int memory = strcmp(kind, "out") && strcmp(kind, "in");
	void *page = MAP_FAILED;
	struct vm vm;
	double started;

	check(n < 1 || n > 0xffff, "accesses");
	if (!strcmp(kind, "in"))
		code[3] = 0xe4;
	if (memory) {
		const uint8_t access[] = { strstr(kind, "read") ? 0xa0 : 0xa2, 0, 0, 0xe2, 0xfb };

		memcpy(code + 3, access, sizeof(access));
	}
	vm = create(code, sizeof(code));
	if (!strncmp(kind, "ro-", 3)) {
		struct kvm_userspace_memory_region slot = {
			.slot = 1, .flags = KVM_MEM_READONLY, .guest_phys_addr = 0x2000000, .memory_size = 4096
		};

		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		check(page == MAP_FAILED, "mmap");
		slot.userspace_addr = (uintptr_t)page;
		check(ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &slot) < 0, "KVM_SET_USER_MEMORY_REGION");
	}
	started = now();
	do
		run(&vm, 1);
	while (vm.run->exit_reason != KVM_EXIT_HLT);
	started = now() - started;
	destroy(&vm);
	if (page != MAP_FAILED)
		munmap(page, 4096);
	return started / n;
}

int main(int argc, char **argv)
{
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	check(kvm < 0, "/dev/kvm");
	run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (argc == 4 && !strcmp(argv[1], "exits"))
		printf("%.1f\n", time_exits(argv[2], atol(argv[3])));
	else if (argc == 4 && !strcmp(argv[1], "accesses"))
		printf("%.1f\n", time_accesses(argv[2], atol(argv[3])));
	else if (argc == 3 && !strcmp(argv[1], "console"))
		printf("%.1f\n", time_exits("out", atol(argv[2])));
	else if (argc == 3 && !strcmp(argv[1], "lifecycle"))
		printf("%.1f\n", time_lifecycles(atol(argv[2]), 0));
	else if (argc == 3 && !strcmp(argv[1], "monitor")) {
		prepare_monitor();
		printf("%.1f\n", time_lifecycles(atol(argv[2]), 1));
	} else
		return 2;
	return 0;
}
