/* loop: the least that a fan-out can be, to compare with: every POST goes to every WebSocket on /ws, one send each.

       loop PORT

   It takes what it is given: one client key (that of RFC 6455 §1.3), whole requests, bodies below 64 KiB. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define READERS 100000
#define BODY 65536

static const char UPGRADED[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static const char DONE[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static int readers[READERS], count;

/* One text frame (RFC 6455 §5.2) to everybody. */
static void tell(const char *body, size_t size) {
    static unsigned char frame[BODY + 4];
    size_t head = size < 126 ? 2 : 4;
    frame[0] = 0x81;
    frame[1] = size < 126 ? size : 126;
    if (head == 4) {
        frame[2] = size >> 8;
        frame[3] = size;
    }
    memcpy(frame + head, body, size);
    for (int i = 0; i < count; i++) send(readers[i], frame, head + size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void forget(int fd) {
    for (int i = 0; i < count; i++)
        if (readers[i] == fd) readers[i--] = readers[--count];
    close(fd);
}

static void answer(int fd) {
    static char request[BODY];
    ssize_t size = read(fd, request, BODY - 1);
    if (size <= 0) {
        forget(fd);
        return;
    }
    request[size] = 0;
    if (!strncmp(request, "GET /ws", 7)) {
        if (write(fd, UPGRADED, sizeof UPGRADED - 1) > 0 && count < READERS) readers[count++] = fd;
        return;
    }
    if (!strncmp(request, "POST", 4)) {
        char *end, *length = strcasestr(request, "content-length:");
        size_t body = length ? strtoul(length + 15, NULL, 10) : 0;
        while (!(end = strstr(request, "\r\n\r\n")) || request + size < end + 4 + body) {
            ssize_t more = read(fd, request + size, BODY - 1 - size);
            if (more <= 0) return;
            request[size += more] = 0;
        }
        tell(end + 4, body);
    }
    if (write(fd, DONE, sizeof DONE - 1) < 0) close(fd);
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) return 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(poll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd != listener) {
                answer(events[i].data.fd);
                continue;
            }
            int fd = accept(listener, NULL, NULL);
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
            epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
