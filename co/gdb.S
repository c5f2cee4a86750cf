/* gdb.S - gdb.py inside the program that it is for.
 *
 * Part of the static library alone: what GDB finds in this section it runs, where
 * its auto-load safe-path allows.  A shared library has its script beside it, in
 * a file.  The section is debug information: not loaded when the program
 * runs, kept by --gc-sections, dropped by strip.
 *
 * SPDX-License-Identifier: MIT
 */
        .section .debug_gdb_scripts, "MS", %progbits, 1
        .byte 4                 /* a Python script as text: name, lines */
        .ascii "corten-gdb.py\n"
        .incbin CORTEN_GDB_SCRIPT
        .byte 0
        .section .note.GNU-stack, "", %progbits
