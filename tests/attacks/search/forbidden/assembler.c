// assembler
// kernel: dot
// expect: status=REJECTED rule=assembler line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 40; __asm__ volatile ("syscall"); return 0; }
