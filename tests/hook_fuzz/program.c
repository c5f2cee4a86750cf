/* program.c - see program.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/program.h"

/* How often each kind comes; what costs most time is rare. */
static const struct {
    const char *name;
    unsigned weight;
} kinds[STEP_KINDS] = {
    [STEP_OPEN] = { "open", 5 },         [STEP_READ] = { "read", 30 },
    [STEP_WRITE] = { "write", 26 },      [STEP_BIG] = { "big", 2 },
    [STEP_FILL] = { "fill", 2 },         [STEP_DRAIN] = { "drain", 3 },
    [STEP_CROWD] = { "crowd", 2 },       [STEP_POLL] = { "poll", 12 },
    [STEP_MODE] = { "mode", 6 },         [STEP_OPTION] = { "option", 4 },
    [STEP_QUERY] = { "query", 3 },       [STEP_DUP] = { "dup", 4 },
    [STEP_SHUTDOWN] = { "shutdown", 2 }, [STEP_CLOSE] = { "close", 3 },
    [STEP_LISTEN] = { "listen", 2 },     [STEP_CONNECT] = { "connect", 4 },
    [STEP_ACCEPT] = { "accept", 4 },     [STEP_COPY] = { "copy", 2 },
};

/* splitmix64: any two seeds give programs that have nothing in common. */
uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

static enum step_kind random_kind(uint64_t *state)
{
    unsigned sum = 0, pick;

    for (int i = 0; i < STEP_KINDS; i++)
        sum += kinds[i].weight;
    pick = (unsigned)(random_next(state) % sum);
    for (int i = 0;; i++) {
        if (pick < kinds[i].weight)
            return (enum step_kind)i;
        pick -= kinds[i].weight;
    }
}

void program_make(struct program *p, uint64_t seed)
{
    uint64_t state = seed;

    p->seed = seed;
    p->kept = ~UINT64_C(0);
    p->count = 8 + (unsigned)(random_next(&state) % (STEPS_MOST - 8));
    for (unsigned i = 0; i < p->count; i++) {
        struct step *s = &p->steps[i];
        uint64_t bits = random_next(&state);

        s->kind = i < 2 ? STEP_OPEN : random_kind(&state);
        s->actor = (bits & 3) < 2 ? 0 : (uint8_t)(bits & 1) + 1;
        s->slot = (uint8_t)(bits >> 8);
        s->other = (uint8_t)(bits >> 16);
        s->a = (uint32_t)(bits >> 32);
        bits = random_next(&state);
        s->b = (uint32_t)bits;
        s->c = (uint32_t)(bits >> 32);
    }
}

bool program_has(const struct program *p, unsigned i)
{
    return p->kept >> i & 1;
}

const char *step_name(enum step_kind kind) { return kinds[kind].name; }
