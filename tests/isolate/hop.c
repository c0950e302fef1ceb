/* Processes that start the next one and end, faster than anybody can look, for ten seconds.
   Each adds a point to a file, and the last one an end. */
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **arguments)
{
    time_t const end = time(NULL) + 10;
    int const log = open(arguments[1], O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fork() == 0) {
        setsid();
        fork();
        while (time(NULL) < end) {
            if (fork() != 0 || write(log, ".", 1) != 1) {
                return 0;
            }
        }
        return (int)write(log, "e", 1);
    }
    return 0;
}
