/* http_params_test.c - values with parameters.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_params.h"
#include "tests/http_kit.h"

/* The word and each name=value, with a bar between them; "!" where it fails. */
static const struct {
    const char *value, *told;
} values[] = {
    { "form-data", "form-data" },
    { "  form-data\t", "form-data" },
    { "a/b;c=d", "a/b|c=d" },
    { "a/b ; c=d\t;\te=f ", "a/b|c=d|e=f" },
    { "a;c=\"\"", "a|c=" },
    { "a;c=\"d\"", "a|c=d" },
    { "a;c=\"d;e=f\";g=h", "a|c=d;e=f|g=h" },
    { "a;c=\" d \" ; e=f", "a|c= d |e=f" },
    /* Empty parameters, RFC 9110 5.6.6. */
    { "a;", "a" },
    { "a; ;;", "a" },
    { "a;;b=c;;d=e;", "a|b=c|d=e" },
    /* Backslashes. */
    { "a;b=\"c\\\"d\"", "a|b=c\"d" },
    { "a;b=\"c\\\\\"", "a|b=c\\" },
    { "a;b=\"C:\\dir\\file\"", "a|b=C:\\dir\\file" },
    { "a;b=\"\\\"\\\"\"", "a|b=\"\"" },
    { "a;b=\"\\\\\\\"\"", "a|b=\\\"" },
    { "a;b=c\\d", "a|b=c\\d" },
    /* As boundaries are written. */
    { "a;b='()+_,-./:=?", "a|b='()+_,-./:=?" },
    { "a;b==", "a|b==" },
    { "a;b=\xc3\xa4", "a|b=\xc3\xa4" },
    { "a;b*=utf-8''c", "a|b*=utf-8''c" },
    /* What is none. */
    { "", "!" },
    { " ", "!" },
    { ";a=b", "!" },
    { "a b", "!" },
    { "a\"b", "!" },
    { "a;b", "a|!" },
    { "a;b=", "a|!" },
    { "a;=b", "a|!" },
    { "a; b =c", "a|!" },
    { "a; b= c", "a|!" },
    { "a;b=c d", "a|!" },
    { "a;b=c d=e", "a|!" },
    { "a;b=\"c\"d", "a|!" },
    { "a;b=\"c\" d=e", "a|!" },
    { "a;b=c\"d\"", "a|!" },
    { "a;b=\"", "a|!" },
    { "a;b=\"c", "a|!" },
    { "a;b=\"c\\", "a|!" },
    { "a;b=\"c\\\"", "a|!" },
    { "a;b=c\x01", "a|!" },
    { "a;b=\"c\";d", "a|b=c|!" },
};

static void tell(char *text, size_t size, char *value)
{
    char *rest, *name;
    char *word = http_params_word(value, &rest);
    size_t len;
    int r;

    if (word == NULL) {
        (void)snprintf(text, size, "!");
        return;
    }
    len = (size_t)snprintf(text, size, "%s", word);
    while ((r = http_params_next(&rest, &name, &value)) > 0)
        len += (size_t)snprintf(text + len, size - len, "|%s=%s", name, value);
    if (r < 0)
        (void)snprintf(text + len, size - len, "|!");
}

int main(void)
{
    struct kit_guarded g;
    char told[200];

    kit_guard(&g, 200);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        const char *value = values[i].value;

        tell(told, sizeof told, kit_put(&g, value, strlen(value) + 1));
        if (strcmp(told, values[i].told) == 0)
            continue;
        fprintf(stderr, "'%s': '%s', not '%s'\n", value, told, values[i].told);
        return 1;
    }
    kit_unguard(&g);
    return 0;
}
