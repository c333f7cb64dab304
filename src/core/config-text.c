/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shape of a configuration file, line by line. */

#include "core/config-text.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

typedef struct Reader {
        const ConfigTextHandler *handler;
        void *userdata;
        unsigned line;
        bool said_return; /* one complaint a file is enough */
        bool continued;   /* the line before went on here, and was refused */
} Reader;

static void fail(const Reader *reader, const char *text) {
        reader->handler->error(reader->line, text, reader->userdata);
}

static bool has_control_characters(const char *line) {
        for (const char *p = line; *p; p = g_utf8_next_char(p))
                if (*p != '\t' && g_unichar_iscntrl(g_utf8_get_char(p)))
                        return true;
        return false;
}

/* What is wrong with the bytes of a line, or NULL. */
static const char *check_bytes(const char *line, size_t size) {
        if (memchr(line, 0, size))
                return "There is a NUL byte in this line; is it a text file?";
        if (!g_utf8_validate(line, (gssize) size, NULL))
                return "This line is not valid UTF-8.";
        return NULL;
}

static void read_header(Reader *reader, char *line) {
        char *end = strchr(line, ']');

        reader->continued = false;
        if (end && end[1] == 0 && end > line + 1) {
                *end = 0;
                reader->handler->section(reader->line, line + 1, reader->userdata);
                return;
        }
        if (!end)
                fail(reader, "A section's header ends in ']'.");
        else if (end[1])
                fail(reader,
                     "Nothing may stand behind a section's header; comments have lines of their own.");
        else
                fail(reader, "A section's header needs a name.");
        reader->handler->section(reader->line, NULL, reader->userdata);
}

static void read_assignment(Reader *reader, char *line) {
        bool was_continued = reader->continued;
        char *equals = strchr(line, '=');

        reader->continued = g_str_has_suffix(line, "\\");
        if (was_continued)
                return;
        if (!equals) {
                fail(reader, "This is neither a [Section], nor Key=value, nor a comment (# or ;).");
                return;
        }
        if (reader->continued) {
                fail(reader, "Continuation lines are not supported: write the value in one line; "
                             "lists may be given in several assignments.");
                return;
        }
        *equals = 0;
        if (!*g_strchomp(line))
                fail(reader, "There is no key before the '='.");
        else
                reader->handler->assignment(reader->line, line, g_strchug(equals + 1), reader->userdata);
}

/* A line that cannot be read may have been a header. */
static void fail_line(const Reader *reader, const char *bytes, size_t size, const char *text) {
        fail(reader, text);
        while (size > 0 && (*bytes == ' ' || *bytes == '\t'))
                bytes++, size--;
        if (size > 0 && *bytes == '[')
                reader->handler->section(reader->line, NULL, reader->userdata);
}

/* Returns the line without a carriage return at its end, which is complained about. */
static size_t cut_return(Reader *reader, const char *bytes, size_t size) {
        if (size == 0 || bytes[size - 1] != '\r')
                return size;
        if (!reader->said_return)
                fail(reader, "Lines end in a carriage return; save the file with Unix line ends.");
        reader->said_return = true;
        return size - 1;
}

static void read_line(Reader *reader, const char *bytes, size_t size) {
        const char *trouble = size > CONFIG_LINE_MAX ? "This line is longer than 4096 bytes."
                                                     : check_bytes(bytes, size);
        g_autofree char *line = NULL;

        if (!trouble) {
                line = g_strndup(bytes, cut_return(reader, bytes, size));
                if (has_control_characters(line))
                        trouble = "There is a control character in this line.";
        }
        if (trouble) {
                fail_line(reader, bytes, size, trouble);
                return;
        }
        g_strstrip(line);
        if (!*line || *line == '#' || *line == ';')
                return;
        if (*line == '[')
                read_header(reader, line);
        else
                read_assignment(reader, line);
}

void config_text_read(const char *text, size_t size, const ConfigTextHandler *handler, void *userdata) {
        Reader reader = { .handler = handler, .userdata = userdata };
        const char *end = text + size;

        if (size >= strlen(BYTE_ORDER_MARK) && memcmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) {
                handler->error(1, "The file begins with a byte order mark; save it without one.", userdata);
                text += strlen(BYTE_ORDER_MARK);
        }
        while (text < end) {
                const char *newline = memchr(text, '\n', (size_t) (end - text));
                const char *stop = newline ? newline : end;

                reader.line++;
                read_line(&reader, text, (size_t) (stop - text));
                text = newline ? newline + 1 : end;
        }
}
