/* crowd: many WebSocket readers in one process, who note when each comment reaches them.

       crowd PORT READERS MARKS SECONDS listen|join|return|removals PATH...

   Connects READERS readers, spread over the paths, prints "ready", and reads until each has seen MARKS comments or
   SECONDS are over; then prints what they saw as one line of JSON. A comment carries "t=N", the moment when its author
   sent it, in nanoseconds of CLOCK_MONOTONIC. N grows, so that one seen twice or too late is noticed.

   listen    a reader is there once its upgrade is answered
   join      a reader is there once its first message has come
   return    join; when a server has dropped every reader, all come back, each from the version that it was told first
   removals  join; a mark is a comment that is removed, and each is printed, as its number and the moment of its coming.
             They have to be removed in the order of their numbers. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef unsigned char byte;

typedef struct {
    int fd;
    byte *data;        /* what came and is not a whole frame yet; a NUL follows it */
    int size, room;
    long long last;    /* the latest mark: the moment of its sending, or the number that was removed */
    char from[120];    /* the query with which it comes back */
} Reader;

typedef struct { int head; long body; int opcode; } Head;
typedef struct { long long no, moment; } Removal;

static struct sockaddr_in server;
static Reader *readers;
static int count;
static long frames, marks, disorder, closed;
static unsigned *latencies; /* microseconds, one for each mark */
static Removal *removals;   /* instead of latencies, where removals are the marks */
static long long begun;

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %.300s\n", what, why);
    exit(1);
}

static int ascending(const void *a, const void *b) {
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return (x > y) - (x < y);
}

/* Read more; what read(2) said. */
static long take(Reader *reader) {
    if (reader->room - reader->size < 2048) {
        reader->room = reader->room ? reader->room * 2 : 4096;
        reader->data = realloc(reader->data, reader->room + 1);
    }
    long got = read(reader->fd, reader->data + reader->size, reader->room - reader->size);
    if (got > 0) reader->size += got;
    reader->data[reader->size] = 0;
    return got;
}

static void drop(Reader *reader, int bytes) {
    memmove(reader->data, reader->data + bytes, reader->size - bytes);
    reader->size -= bytes;
}

/* Whether a whole frame lies at `at`. */
static int whole(const byte *at, long size, Head *head) {
    if (size < 2) return 0;
    head->opcode = at[0] & 15;
    head->body = at[1] & 127;
    head->head = head->body < 126 ? 2 : head->body == 126 ? 4 : 10;
    if (size < head->head) return 0;
    if (head->head > 2) {
        head->body = 0;
        for (int i = 2; i < head->head; i++) head->body = head->body << 8 | at[i];
    }
    return size >= head->head + head->body;
}

static void say(Reader *reader, const char *frame, int size) {
    if (write(reader->fd, frame, size) != size) closed++;
}

/* Note a mark, which must come after the last one. */
static void mark(Reader *reader, long long number) {
    if (number <= reader->last) disorder++;
    reader->last = number;
    marks++;
}

static void hear_comments(Reader *reader, byte *text, byte *end, long long moment) {
    while ((text = memmem(text, end - text, "t=", 2))) {
        text += 2;
        long long sent = strtoll((char *)text, NULL, 10);
        if (sent < begun || sent > moment) continue;
        latencies[marks] = (moment - sent) / 1000;
        mark(reader, sent);
    }
}

/* Between a number and what became of it no other number stands; no author can write the quotes unescaped. */
static void hear_removals(Reader *reader, byte *text, byte *end, long long moment) {
    static const char gone[] = "\"gone\":\"removed\"", no[] = "\"no\":";
    byte *number = text;
    for (byte *at; (at = memmem(text, end - text, gone, sizeof gone - 1)); text = at + sizeof gone - 1) {
        for (byte *each = number; (each = memmem(each, at - each, no, sizeof no - 1)); number = each)
            each += sizeof no - 1;
        removals[marks] = (Removal){strtoll((char *)number, NULL, 10), moment};
        mark(reader, removals[marks].no);
    }
}

/* Note the marks of a message, and answer a ping. */
static void hear(Reader *reader, byte *text, long size, long long moment) {
    static const char pong[] = "\x81\x8f\0\0\0\0{\"type\":\"pong\"}"; /* a mask of zeros is a mask */
    frames++;
    if (size < 200 && memmem(text, size, "\"type\":\"ping\"", 13)) say(reader, pong, sizeof pong - 1);
    (removals ? hear_removals : hear_comments)(reader, text, text + size, moment);
}

/* Take every whole frame, as long as there is room for its marks. */
static void digest(Reader *reader, long most) {
    int at = 0;
    long long moment = now();
    Head head;
    while (marks < most && whole(reader->data + at, reader->size - at, &head)) {
        byte *body = reader->data + at + head.head;
        byte after = body[head.body];
        body[head.body] = 0;
        if (head.opcode == 1) hear(reader, body, head.body, moment);
        if (head.opcode == 9) say(reader, "\x8a\x80\0\0\0\0", 6);
        body[head.body] = after;
        at += head.head + head.body;
    }
    drop(reader, at);
}

/* What stands between `name` and one of the characters `ends` in a message. */
static void field(char *to, int room, const byte *text, const char *name, const char *ends) {
    const char *at = strstr((const char *)text, name);
    if (!at) fail("the first message has no", name);
    at += strlen(name);
    snprintf(to, room, "%.*s", (int)strcspn(at, ends), at);
}

/* Connect and upgrade; with `join` also wait for the first message. 0 where nobody answers. */
static int dial(Reader *reader, const char *path, int join) {
    int one = 1;
    char request[1024], epoch[48], version[24];
    Head head;
    reader->fd = socket(AF_INET, SOCK_STREAM, 0);
    reader->size = 0;
    if (connect(reader->fd, (void *)&server, sizeof server)) return close(reader->fd), 0;
    setsockopt(reader->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int size = snprintf(request, sizeof request,
        "GET %s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        path, reader->from, ntohs(server.sin_port));
    if (write(reader->fd, request, size) != size) return close(reader->fd), 0;
    byte *end;
    do {
        if (take(reader) <= 0) return close(reader->fd), 0;
    } while (!(end = memmem(reader->data, reader->size, "\r\n\r\n", 4)));
    if (!memmem(reader->data, reader->size, " 101 ", 5)) fail("no upgrade", (char *)reader->data);
    drop(reader, end + 4 - reader->data);
    if (!join) return 1;
    while (!whole(reader->data, reader->size, &head))
        if (take(reader) <= 0) return close(reader->fd), 0;
    if (!reader->from[0] && strstr((char *)reader->data + head.head, "\"epoch\"")) {
        field(epoch, sizeof epoch, reader->data + head.head, "\"epoch\":\"", "\"");
        field(version, sizeof version, reader->data + head.head, "\"version\":", ",}");
        snprintf(reader->from, sizeof reader->from, "?epoch=%s&after=%s", epoch, version);
    }
    return 1;
}

static void listen_until(int poll, long most, long long end, int wait_for_drop) {
    struct epoll_event events[512];
    while (now() < end && (wait_for_drop ? closed < count : marks < most)) {
        int ready = epoll_wait(poll, events, 512, 50);
        for (int i = 0; i < ready; i++) {
            Reader *reader = &readers[events[i].data.u32];
            long got;
            while ((got = take(reader)) > 0) {
                digest(reader, most);
                if (got < 1024) break;
            }
            if (got == 0 || (got < 0 && errno != EAGAIN)) {
                closed++;
                close(reader->fd); /* and so out of the poll */
            }
        }
    }
}

/* Come back, one after another; seconds from the first who is answered. */
static double come_back(char **paths, int of, long long end) {
    long long first = 0;
    for (int i = 0; i < count; i++) {
        while (!dial(&readers[i], paths[i % of], 1)) {
            if (now() > end) fail("not everybody came back", "");
            usleep(2000);
        }
        if (!first) first = now();
    }
    return (now() - first) / 1e9;
}

int main(int argc, char **argv) {
    if (argc < 7) fail("usage", "crowd PORT READERS MARKS SECONDS listen|join|return|removals PATH...");
    count = atoi(argv[2]);
    long most = atol(argv[3]) * count;
    double seconds = atof(argv[4]), back = 0;
    int join = strcmp(argv[5], "listen") != 0, again = !strcmp(argv[5], "return"), of = argc - 6;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    readers = calloc(count, sizeof *readers);
    if (!strcmp(argv[5], "removals")) removals = malloc((most + 4096) * sizeof *removals);
    else latencies = malloc((most + 4096) * sizeof *latencies);
    int poll = epoll_create1(0);
    long long opening = now();
    for (int i = 0; i < count; i++) {
        if (!dial(&readers[i], argv[6 + i % of], join)) fail("no answer", strerror(errno));
        fcntl(readers[i].fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(poll, EPOLL_CTL_ADD, readers[i].fd, &event);
    }
    begun = now();
    double opened = (begun - opening) / 1e9;
    printf("ready\n");
    fflush(stdout);
    long long end = begun + (long long)(seconds * 1e9);
    listen_until(poll, most, end, again);
    if (again) back = come_back(argv + 6, of, end);
    double ms[3] = {0, 0, 0};
    if (marks && latencies) {
        qsort(latencies, marks, sizeof *latencies, ascending);
        ms[0] = latencies[marks / 2] / 1e3;
        ms[1] = latencies[marks * 99 / 100] / 1e3;
        ms[2] = latencies[marks - 1] / 1e3;
    }
    printf("{\"readers\":%d,\"frames\":%ld,\"marks\":%ld,\"disorder\":%ld,\"closed\":%ld,\"opened_s\":%.4f,\"back_s\":%.4f,"
           "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"removals\":[",
           count, frames, marks, disorder, closed, opened, back, ms[0], ms[1], ms[2]);
    for (long i = 0; removals && i < marks; i++)
        printf("%s[%lld,%lld]", i ? "," : "", removals[i].no, removals[i].moment);
    printf("]}\n");
    return 0;
}
