/* http_part_test.c - the heads of parts, and the type of a multipart body.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_parts.h"
#include "tests/http_kit.h"

#define D "Content-Disposition: form-data; "

/* name|filename|type, "-" for no filename; or the status. */
static const struct {
    const char *head, *told;
} heads[] = {
    { D "name=a\r\n", "a|-|text/plain" },
    { D "name=\"\"\r\n", "|-|text/plain" },
    { D "name=\"a b\"; filename=\"c.txt\"\r\n", "a b|c.txt|text/plain" },
    { D "name=a; filename=\"\"\r\nContent-Type: image/png\r\n",
      "a||image/png" },
    { "content-type: a/b; c=d\r\ncontent-disposition:form-data;NAME=a\r\n",
      "a|-|a/b; c=d" },
    { "Content-Disposition: \t FORM-DATA; name=a \t\r\n", "a|-|text/plain" },
    { "X: y\r\n" D "name=a\r\nContent-Type:\r\n", "a|-|text/plain" },
    { "Content-Transfer-Encoding: Binary\r\n" D "name=a\r\n",
      "a|-|text/plain" },
    { D "name=\"\xff\xfe\"\r\n", "\xff\xfe|-|text/plain" },
    { D "name=\"a\\\"b\"\r\n", "a\"b|-|text/plain" },
    { D "name=a%22%0D%0Ab\r\n", "a%22%0D%0Ab|-|text/plain" },
    { D "name=a; other=b; filename=c\r\n", "a|c|text/plain" },
    { D "filename=c; name=a\r\n", "a|c|text/plain" },
    /* filename* means nothing. */
    { D "name=a; filename*=UTF-8''b\r\n", "a|-|text/plain" },
    { D "name=a; filename=b; filename*=UTF-8''..%2fc\r\n", "a|b|text/plain" },
    /* No paths. */
    { D "name=a; filename=\"/etc/passwd\"\r\n", "a|passwd|text/plain" },
    { D "name=a; filename=\"../../b\"\r\n", "a|b|text/plain" },
    { D "name=a; filename=\"C:\\dir\\b.txt\"\r\n", "a|b.txt|text/plain" },
    { D "name=a; filename=\"\\\\host\\b/c\\d\"\r\n", "a|d|text/plain" },
    { D "name=a; filename=\"..\"\r\n", "a||text/plain" },
    { D "name=a; filename=\".\"\r\n", "a||text/plain" },
    { D "name=a; filename=\"b/\"\r\n", "a||text/plain" },
    { D "name=a; filename=\"b/..\"\r\n", "a||text/plain" },
    { D "name=a; filename=\"...\"\r\n", "a|...|text/plain" },
    { D "name=a; filename=\".htaccess\"\r\n", "a|.htaccess|text/plain" },
    /* The name of a field is no path. */
    { D "name=\"../a\"\r\n", "../a|-|text/plain" },
    /* What is no head of a part. */
    { "X: y\r\n", "400" },
    { D "filename=a\r\n", "400" },
    { "Content-Disposition: attachment; name=a\r\n", "400" },
    { "Content-Disposition: name=a\r\n", "400" },
    { "Content-Disposition:\r\n", "400" },
    { D "name=a\r\n" D "name=b\r\n", "400" },
    { D "name=a; name=b\r\n", "400" },
    { D "name=a; filename=b; filename=c\r\n", "400" },
    { D "name=a\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n", "400" },
    { D "name=a\r\nX\r\n", "400" },
    { D "name=a\r\n: y\r\n", "400" },
    { D "name=a\r\nX : y\r\n", "400" },
    { "X: y\r\n " D "name=a\r\n", "400" },
    { D "name=a;\r\n filename=b\r\n", "400" },
    { D "name=a\r\n\tb: c\r\n", "400" },
    { D "name=\"a\rb\"\r\n", "400" },
    { D "name=\"a\nb\"\r\n", "400" },
    { D "name=\"a\x01"
        "b\"\r\n",
      "400" },
    { D "name=\"a\x7f"
        "b\"\r\n",
      "400" },
    { D "name=\"a\r\n", "400" },
    { D "name=a; filename=b c\r\n", "400" },
    { D "name=a\r\nContent-Transfer-Encoding: base64\r\n", "415" },
    { D "name=a\r\nContent-Transfer-Encoding: quoted-printable\r\n", "415" },
};

static void test_heads(void)
{
    struct kit_guarded g;
    struct http_part part;
    char told[200];

    kit_guard(&g, 200);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        size_t len = strlen(heads[i].head);
        int status =
            http_part_open(&part, kit_put(&g, heads[i].head, len), len);

        if (status != 0)
            (void)snprintf(told, sizeof told, "%d", status);
        else
            (void)snprintf(told, sizeof told, "%s|%s|%s", part.name,
                           part.filename == NULL ? "-" : part.filename,
                           part.type);
        if (strcmp(told, heads[i].told) == 0)
            continue;
        fprintf(stderr, "'%s': '%s', not '%s'\n", heads[i].head, told,
                heads[i].told);
        exit(1);
    }
    kit_unguard(&g);
}

/* A zero byte ends no string before it was seen. */
static void test_zero(void)
{
    char head[] = D "name=a\0b\r\n";
    struct http_part part;

    CHECK_EQ(http_part_open(&part, head, sizeof head - 1), 400);
}

#define M "multipart/form-data; "

static const struct {
    const char *type, *boundary;
    int status;
} types[] = {
    { M "boundary=a", "a", 0 },
    { "MULTIPART/Form-Data;BOUNDARY=\"a b\"", "a b", 0 },
    { M "charset=utf-8; boundary=----a; x=y", "----a", 0 },
    { M "boundary=a/b:c=d", "a/b:c=d", 0 },
    { M, NULL, 400 },
    { M "boundary=", NULL, 400 },
    { M "boundary=a; boundary=a", NULL, 400 },
    { M "boundary=a; x", NULL, 400 },
    { M "boundary=\"a", NULL, 400 },
    { "multipart/mixed; boundary=a", NULL, 415 },
    { "multipart/form-datax; boundary=a", NULL, 415 },
    { "text/plain", NULL, 415 },
    { "", NULL, 415 },
};

static void test_types(void)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char type[100];
        const char *boundary;
        int status = 0;

        (void)snprintf(type, sizeof type, "%s", types[i].type);
        boundary = http_part_boundary(type, &status);
        fprintf(stderr, "    %s\n", types[i].type);
        CHECK_EQ(boundary == NULL, types[i].boundary == NULL);
        if (boundary == NULL)
            CHECK_EQ(status, types[i].status);
        else
            CHECK(strcmp(boundary, types[i].boundary) == 0);
    }
}

int main(void)
{
    RUN(test_heads);
    RUN(test_zero);
    RUN(test_types);
    return 0;
}
