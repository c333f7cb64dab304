/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Method calls made of bytes. */

#include "dbus-calls.h"
#include "fuzz.h"
#include "lfa/bus-names.h"
#include "util/macros.h"

#include <fcntl.h>

#define DEPTH_MAX 6
#define SIGNATURE_MAX 24
#define LONG_TEXT 70000

uint8_t bytes_take(Bytes *bytes) {
        if (bytes->left == 0)
                return 0;
        bytes->left--;
        return *bytes->next++;
}

static uint64_t take_number(Bytes *bytes, unsigned size) {
        uint64_t number = 0;

        while (size-- > 0)
                number = number << 8 | bytes_take(bytes);
        return number;
}

/* Strings that some method understands; what the objects have is added. */
static const char *const known_words[] = {
        "",
        "rmm",
        "bl31",
        "RMM",
        GUID_PENDING,
        GUID_IDLE,
        "{6C0762A6-12F2-4B56-92CB-BA8F633606D9}",
        "a662076c-f212-564b-92cb-ba8f633606d9",
        "6c",
        "1.2",
        "2.0",
        "0.0",
        "N/A",
        "4294967295.4294967295",
        "ticket 4711",
        "r-1",
        "window",
        "hold",
        "inhibitors",
        "watchdog",
        "quarantine",
        "block",
        "delay",
        "queued",
        "finished",
        "hold",
        "unhold",
        "debug",
        "emerg",
        "journal",
        "console",
        "\xe2\x80\xaez",
        "\xc3\xa9\t\n",
        LFA_MANAGER_INTERFACE,
        LFA_IMAGE_INTERFACE,
        LFA_JOB_INTERFACE,
        "org.freedesktop.LogControl1",
        "inhibitor",
        "version",
        "freeze",
        "interval",
        "slot",
        "repeat",
        "clock",
        "order",
        "settle",
        "LogLevel",
        "LogTarget",
        "State",
};

/* The options of all methods, and what they take. */
static const struct {
        const char *name, *type;
} options[] = {
        { "reason", "s" },
        { "override", "as" },
        { "expected-current-version", "s" },
        { "expected-pending-version", "s" },
        { "request-id", "s" },
        { "unattended", "b" },
        { "when-allowed", "b" },
        { "deadline", "t" },
        { "authorize", "b" },
        { "at", "t" },
        { "until", "t" },
        { "since", "t" },
        { "images", "as" },
        { "image", "s" },
        { "job", "u" },
        { "limit", "u" },
        { "before", "t" },
        { "type", "s" },
};

static const char *const paths[] = { LFA_MANAGER_PATH,
                                     LFA_JOB_PATH "/1",
                                     LFA_JOB_PATH "/01",
                                     LFA_JOB_PATH,
                                     LFA_IMAGE_PATH,
                                     LFA_IMAGE_PATH "/x",
                                     "/",
                                     "/org/arm",
                                     LFA_JOB_PATH "/4294967297",
                                     LFA_IMAGE_PATH "/6c0762a6_12f2_4b56_92cb_ba8f633606d9",
                                     LFA_IMAGE_PATH "/6C0762A6_12F2_4B56_92CB_BA8F633606D9",
                                     LFA_IMAGE_PATH "/47d4086d_4cfe_9846_9b95_2950cbbd5a00" };

static GPtrArray *learned_words;

static const char *take_word(Bytes *bytes) {
        unsigned i = bytes_take(bytes), known = G_N_ELEMENTS(known_words);

        i %= known + (learned_words ? learned_words->len : 0);
        return i < known ? known_words[i] : learned_words->pdata[i - known];
}

/* Valid UTF-8, as D-Bus has it. The caller frees it. */
static char *take_text(Bytes *bytes) {
        unsigned kind = bytes_take(bytes);
        g_autofree char *raw = NULL;
        size_t length;

        if (kind < 224)
                return g_strdup(take_word(bytes));
        if (kind == 224)
                return g_strnfill(LONG_TEXT, 'x');
        length = bytes_take(bytes) % 64;
        length = MIN(length, bytes->left);
        raw = g_strndup((const char *) bytes->next, length);
        bytes->next += length;
        bytes->left -= length;
        return g_utf8_make_valid(raw, -1);
}

/* How long the complete type is that begins here; 0 = there is none. */
static size_t type_length(const char *signature) {
        char end = *signature == '(' ? ')' : *signature == '{' ? '}' : 0;
        size_t length = 1, part;

        if (!*signature || !strchr("ybnqiuxtdsoghva({", *signature))
                return 0;
        if (*signature == 'a') {
                part = type_length(signature + 1);
                return part > 0 ? part + 1 : 0;
        }
        if (!end)
                return 1;
        while (signature[length] != end) {
                part = type_length(signature + length);
                if (part == 0)
                        return 0;
                length += part;
        }
        return length + 1;
}

static int append_value(sd_bus_message *message, const char *type, size_t length, Bytes *bytes,
                        unsigned depth);

static int append_all(sd_bus_message *message, const char *signature, Bytes *bytes, unsigned depth) {
        while (*signature) {
                size_t length = type_length(signature);
                int r = length > 0 ? append_value(message, signature, length, bytes, depth) : -EINVAL;

                if (r < 0)
                        return r;
                signature += length;
        }
        return 0;
}

static int append_container(sd_bus_message *message, char type, const char *contents, Bytes *bytes,
                            unsigned depth) {
        int r = sd_bus_message_open_container(message, type, contents);

        if (r >= 0)
                r = append_all(message, contents, bytes, depth);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

/* A few, or more than any method takes. */
static int append_array(sd_bus_message *message, const char *element, Bytes *bytes, unsigned depth) {
        unsigned kind = bytes_take(bytes), n = kind < 250 ? kind % 5 : 140;
        int r = sd_bus_message_open_container(message, 'a', element);

        for (unsigned i = 0; r >= 0 && i < n; i++)
                r = append_all(message, element, bytes, depth);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

/* With the type that the option takes, as often as not. */
static int append_option(sd_bus_message *message, Bytes *bytes, unsigned depth) {
        size_t i = bytes_take(bytes) % G_N_ELEMENTS(options);
        int r = sd_bus_message_open_container(message, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append(message, "s", options[i].name);
        if (r >= 0)
                r = bytes_take(bytes) < 200 ? append_container(message, 'v', options[i].type, bytes, depth)
                                            : append_all(message, "v", bytes, depth);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_variant(sd_bus_message *message, Bytes *bytes, unsigned depth) {
        static const char *const types[] = { "s", "b",    "u",  "t", "as", "v", "a{sv}",
                                             "i", "(so)", "ay", "d", "h",  "g", "o" };

        return append_container(message, 'v', types[bytes_take(bytes) % G_N_ELEMENTS(types)], bytes, depth);
}

static int append_number(sd_bus_message *message, char type, Bytes *bytes) {
        unsigned kind = bytes_take(bytes);
        uint64_t number;

        if (kind < 120)
                number = kind % 12;
        else if (kind < 160)
                number = world_now() + (kind - 140) * 600 * USEC_PER_SEC;
        else if (kind < 180)
                number = UINT64_MAX - (kind - 160);
        else
                number = take_number(bytes, 8);
        if (type == 'b')
                return sd_bus_message_append_basic(message, type, &(int){ number & 1 });
        return sd_bus_message_append_basic(message, type, &number);
}

static int append_text(sd_bus_message *message, char type, Bytes *bytes) {
        g_autofree char *text = NULL;

        if (type == 's')
                text = take_text(bytes);
        else if (type == 'o')
                text = g_strdup(paths[bytes_take(bytes) % G_N_ELEMENTS(paths)]);
        else
                text = g_strdup(bytes_take(bytes) & 1 ? "a{sv}" : "");
        return sd_bus_message_append_basic(message, type, text);
}

static int append_descriptor(sd_bus_message *message) {
        _cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        return sd_bus_message_append_basic(message, 'h', &fd);
}

static int append_value(sd_bus_message *message, const char *type, size_t length, Bytes *bytes,
                        unsigned depth) {
        g_autofree char *contents = NULL;

        if (depth >= DEPTH_MAX)
                return -ELOOP;
        switch (*type) {
        case 'a':
                contents = g_strndup(type + 1, length - 1);
                return append_array(message, contents, bytes, depth + 1);
        case '(':
        case '{':
                contents = g_strndup(type + 1, length - 2);
                if (strcmp(contents, "sv") == 0 && *type == '{' && bytes_take(bytes) < 220)
                        return append_option(message, bytes, depth + 1);
                return append_container(message, *type == '(' ? 'r' : 'e', contents, bytes, depth + 1);
        case 'v':
                return append_variant(message, bytes, depth + 1);
        case 'h':
                return append_descriptor(message);
        case 's':
        case 'o':
        case 'g':
                return append_text(message, *type, bytes);
        default:
                return append_number(message, *type, bytes);
        }
}

/* As it was, or with a place changed, or any. The caller frees it. */
static char *take_signature(const char *known, Bytes *bytes) {
        static const char letters[] = "sbuqtynixdoghvas(){}r*as";
        g_autoptr(GString) signature = g_string_new(known);
        unsigned kind = bytes_take(bytes), place;

        if (kind < 160)
                return g_strdup(known);
        if (kind >= 220)
                g_string_truncate(signature, 0);
        for (unsigned n = kind < 220 ? 1 : kind % 8; n > 0 && signature->len < SIGNATURE_MAX; n--) {
                char letter = letters[bytes_take(bytes) % (sizeof(letters) - 1)];

                place = signature->len > 0 ? bytes_take(bytes) % (unsigned) (signature->len + 1) : 0;
                if (kind < 200 && place < signature->len)
                        g_string_erase(signature, place, 1);
                if (kind >= 180)
                        g_string_insert_c(signature, place, letter);
        }
        return g_strdup(signature->str);
}

/* Returns -errno for what D-Bus does not carry. */
static int new_message(World *world, const Method *method, Bytes *bytes, Call *call) {
        unsigned kind = bytes_take(bytes);
        const char *path = method->path, *interface = method->interface, *member = method->member;
        int r;

        call->method = method;
        if (kind >= 230) {
                call->method = NULL;
                if (kind & 1)
                        path = paths[bytes_take(bytes) % G_N_ELEMENTS(paths)];
                if (kind & 2)
                        interface = kind & 4 ? NULL : take_word(bytes);
                if (kind & 8)
                        member = take_word(bytes);
        }
        r = sd_bus_message_new_method_call(world->bus, &call->message, LFA_BUS_NAME, path,
                                           interface && *interface ? interface : NULL, member);
        return r;
}

static int set_sender(sd_bus_message *message, uint32_t uid) {
        g_autofree char *client = world_client(uid);

        return sd_bus_message_set_sender(message, client);
}

bool calls_compose(World *world, const GPtrArray *methods, Bytes *bytes, Call *ret) {
        const Method *method = methods->pdata[bytes_take(bytes) % methods->len];
        static const uint32_t uids[] = { 0, 1000, 1001, 65534 };
        unsigned flags = bytes_take(bytes);
        Call call = { .uid = uids[flags % G_N_ELEMENTS(uids)] };
        g_autofree char *signature = NULL;
        int r = new_message(world, method, bytes, &call);

        signature = take_signature(method->in, bytes);
        if (r >= 0)
                r = append_all(call.message, signature, bytes, 0);
        if (r >= 0)
                r = set_sender(call.message, call.uid);
        if (r >= 0 && flags & 64)
                r = sd_bus_message_set_allow_interactive_authorization(call.message, true);
        if (r < 0) {
                sd_bus_message_unref(call.message);
                return false;
        }
        call.wrong_arguments = call.method && g_str_has_prefix(method->interface, LFA_BUS_NAME) &&
                               strcmp(signature, method->in) != 0;
        *ret = call;
        return true;
}

void calls_free_method(void *data) {
        Method *method = data;

        g_free(method->path);
        g_free(method->interface);
        g_free(method->member);
        g_free(method->in);
        g_free(method->out);
        g_free(method);
}

typedef struct Learning {
        GPtrArray *methods;
        const char *path;
        char *interface;
        Method *method; /* weak: the one that is being read */
} Learning;

static const char *find_attribute(const char **names, const char **values, const char *name) {
        for (size_t i = 0; names[i]; i++)
                if (strcmp(names[i], name) == 0)
                        return values[i];
        return "";
}

static void add_type(char **signature, const char *type) {
        char *longer = g_strconcat(*signature, type, NULL);

        g_free(*signature);
        *signature = longer;
}

static void on_element(GMarkupParseContext *context, const char *element, const char **names,
                       const char **values, void *userdata, GError **error) {
        const char *name = find_attribute(names, values, "name"),
                   *type = find_attribute(names, values, "type");
        Learning *learning = userdata;

        if (strcmp(element, "interface") == 0) {
                g_free(learning->interface);
                learning->interface = g_strdup(name);
        } else if (strcmp(element, "method") == 0) {
                learning->method = g_new0(Method, 1);
                *learning->method = (Method){ g_strdup(learning->path), g_strdup(learning->interface),
                                              g_strdup(name), g_strdup(""), g_strdup("") };
                g_ptr_array_add(learning->methods, learning->method);
        } else if (strcmp(element, "arg") == 0 && learning->method)
                add_type(strcmp(find_attribute(names, values, "direction"), "out") == 0
                                         ? &learning->method->out
                                         : &learning->method->in,
                         type);
        else if (strcmp(element, "property") == 0)
                g_ptr_array_add(learned_words, g_strdup(name));
}

static void on_element_end(GMarkupParseContext *context, const char *element, void *userdata,
                           GError **error) {
        if (strcmp(element, "method") == 0)
                ((Learning *) userdata)->method = NULL;
}

void calls_learn(GPtrArray *methods, const char *path, const char *introspection) {
        static const GMarkupParser parser = { .start_element = on_element, .end_element = on_element_end };
        Learning learning = { .methods = methods, .path = path };
        GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, &learning, NULL);
        const char *begin = strstr(introspection, "<node");

        if (!learned_words)
                learned_words = g_ptr_array_new();
        MUST(begin && g_markup_parse_context_parse(context, begin, -1, NULL));
        g_markup_parse_context_free(context);
        g_free(learning.interface);
}
