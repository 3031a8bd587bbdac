/* bits.h - sets of small numbers kept as the bits of a word. Header only. */
#ifndef CORE_BASE_BITS_H
#define CORE_BASE_BITS_H

/* How many are set. By hand: the compiler's own is a call into its library on plain x86-64. */
static inline int bits_count(unsigned bits) {
    int n = 0;
    for (; bits != 0; bits &= bits - 1) {
        n++;
    }
    return n;
}

#endif
