/* Runs the one test that is named. What Python binds in a process stands here as plain variables. */

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "driver.h"
#include "runtime/code_ranges.h"

struct sj_thread sj_threads[SJ_THREADS + 1];
struct sj_panic_table sj_panics;
char sj_revision[1];
pthread_key_t sj_key;
struct sj_code_ranges sj_code;
struct sigaction sj_previous[SJ_SIGNALS];
int64_t sj_is_catching = 1;

extern void sj_leave(void *);

static const struct
{
  const char *name;
  void (*run)(void);
} tests[] = {
#define ROW(test) {#test, test},
    TESTS(ROW)};

int main(int count, char **arguments)
{
  sj_threads[0].floor = (const char *)SJ_NO_STACK;
  sj_panics.head.fuel = SJ_ENDLESS;
  EXPECT(pthread_key_create(&sj_key, sj_leave) == 0);
  for (int i = 0; i < COUNT(tests); i++)
    if (count == 2 && strcmp(tests[i].name, arguments[1]) == 0)
    {
      tests[i].run();
      return 0;
    }
  fprintf(stderr, "there is no such test\n");
  return 2;
}
