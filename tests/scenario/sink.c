/* sink.c - a server of channels for courier.sh: SINK FILE, on a free port of 127.0.0.1 that it prints.
 *
 * Each request becomes a line of FILE: seconds since 1970, path, body. The path says how it answers: /STATUS/...
 * that status, /hang/... nothing for a minute. A process for each connection, so that one that hangs
 * keeps nobody waiting. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX 16384

/* The whole request: its head, and as much body as that promises. False if the peer left before. */
static int receive(int fd, char text[static REQUEST_MAX]) {
    size_t n = 0;
    for (;;) {
        ssize_t got = recv(fd, text + n, REQUEST_MAX - 1 - n, 0);
        if (got <= 0) {
            return 0;
        }
        n += (size_t)got;
        text[n] = '\0';
        const char *body = strstr(text, "\r\n\r\n");
        const char *length = strstr(text, "Content-Length: ");
        size_t promised = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
        if (body != NULL && (size_t)(text + n - (body + 4)) >= promised) {
            return 1;
        }
    }
}

static void serve(int fd, int file) {
    char text[REQUEST_MAX];
    char path[256] = "";
    if (!receive(fd, text) || sscanf(text, "%*s %255s", path) != 1) {
        return;
    }
    dprintf(file, "%lld %s %s\n", (long long)time(NULL), path, strstr(text, "\r\n\r\n") + 4);
    if (strncmp(path, "/hang/", 6) == 0) {
        sleep(60);
        return;
    }
    dprintf(fd, "HTTP/1.1 %ld Said\r\nContent-Length: 2\r\n\r\nok", strtol(path + 1, NULL, 10));
}

int main(int argc, char **argv) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int file = argc == 2 ? open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    if (file < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(listener, 16) != 0 || getsockname(listener, (struct sockaddr *)&at, &size) != 0) {
        return 1;
    }
    signal(SIGCHLD, SIG_IGN);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0 && fork() == 0) {
            serve(fd, file);
            _exit(0);
        }
        close(fd);
    }
}
