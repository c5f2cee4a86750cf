/* http_scan_any.c - for CPUs that have no file of their own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_scan.h"

unsigned http_scan_variants(struct http_scan_variant variants[4])
{
    variants[0] = (struct http_scan_variant){ "plain", http_scan_plain };
    return 1;
}
