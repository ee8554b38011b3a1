/* Plays a file of arrivals through the jitter buffer of speexdsp: cc -O2 speex.c -lspeexdsp
   Usage: speex FILE.arrivals OUT.raw. Ticks of 20 ms, from 0, in the file's time. */
#include <speex/speex_jitter.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FRAME 160
#define HEADER 12

struct arrival {
    uint64_t at_us;
    uint16_t bytes;
    uint8_t datagram[2048];
};

/* Records are: microseconds (8 bytes), size (2 bytes), both little-endian, and the datagram. */
static int read_arrival(FILE *in, struct arrival *next) {
    return fread(&next->at_us, 8, 1, in) == 1 && fread(&next->bytes, 2, 1, in) == 1 &&
           fread(next->datagram, 1, next->bytes, in) == next->bytes;
}

static void put(JitterBuffer *buffer, struct arrival *arrival) {
    const uint8_t *header = arrival->datagram;
    JitterBufferPacket packet = {
        .data = (char *)header + HEADER,
        .len = arrival->bytes - HEADER,
        .span = FRAME,
        .sequence = header[2] << 8 | header[3],
        .timestamp = (uint32_t)header[4] << 24 | header[5] << 16 | header[6] << 8 | header[7],
    };
    jitter_buffer_put(buffer, &packet);
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    FILE *in = fopen(arguments[1], "rb"), *out = fopen(arguments[2], "wb");
    if (!in || !out) return 1;
    JitterBuffer *buffer = jitter_buffer_init(FRAME);
    struct arrival next;
    int more = read_arrival(in, &next);
    for (uint64_t now_us = 0; more; now_us += 20000) {
        for (; more && next.at_us <= now_us; more = read_arrival(in, &next)) put(buffer, &next);
        char data[2048];
        JitterBufferPacket packet = {.data = data, .len = sizeof data};
        spx_int32_t offset;
        int16_t frame[FRAME] = {0};
        if (jitter_buffer_get(buffer, &packet, FRAME, &offset) == JITTER_BUFFER_OK)
            for (int n = 0; n < FRAME; n++) frame[n] = (uint8_t)data[2 * n] << 8 | (uint8_t)data[2 * n + 1];
        jitter_buffer_tick(buffer);
        fwrite(frame, 2, FRAME, out);
    }
    return fclose(out) != 0;
}
