/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Printing the help. */

#include "ctl/help.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

static void print_option(const OptionRow *row) {
        g_autofree char *letter = row->letter ? g_strdup_printf("-%c, ", row->letter) : g_strdup("");
        g_autofree char *name =
                        g_strdup_printf("--%s%s%s", row->name, row->value && *row->value != '[' ? "=" : "",
                                        row->value ? row->value : "");

        printf("  %4s%-26s %s\n", letter, name, row->help);
}

static void print_common_options(void) {
        puts("\nOptions:");
        for (const OptionRow *row = option_rows; row->name; row++)
                if (!row->verbs)
                        print_option(row);
}

static void print_verb_line(const Verb *verb) {
        g_autofree char *left = g_strdup_printf("%s %s", verb->name, verb->arguments);

        printf("  %-26s %s\n", left, verb->summary);
}

static void print_exit_codes(void) {
        puts("\nExit codes:");
        for (int code = 0; code < _EXIT_CODE_MAX; code++)
                printf("  %d  %s\n", code, exit_code_text((ExitCode) code));
        puts("  With several images it is the worst, in the order 1 5 2 6 7 8 4 3 0.");
}

void help_print(const Verb *verbs) {
        puts("Usage: lfactl [OPTIONS] [VERB] [ARGUMENTS]\n\n"
             "Activate staged Arm firmware without a restart, and see what there is to activate.\n\n"
             "Verbs (without one: what needs attention):");
        for (; verbs->name; verbs++)
                if (verbs->summary)
                        print_verb_line(verbs);
        print_common_options();
        print_exit_codes();
        puts("\nIMAGE is a GUID (as the directory is named or in its EFI form), at least four characters\n"
             "from the start of one, an alias or a name. 'lfactl VERB --help' tells more about a verb.");
}

static bool verb_has_options(const Verb *verb) {
        for (const OptionRow *row = option_rows; row->name; row++)
                if (option_belongs_to(row, verb->name))
                        return true;
        return false;
}

void help_print_verb(const Verb *verb) {
        printf("Usage: lfactl %s [OPTIONS]%s%s\n\n%s.\n", verb->name, *verb->arguments ? " " : "",
               verb->arguments, verb->summary);
        if (verb->details)
                printf("\n%s\n", verb->details);
        if (verb_has_options(verb))
                printf("\nOptions of '%s':\n", verb->name);
        for (const OptionRow *row = option_rows; row->name; row++)
                if (option_belongs_to(row, verb->name))
                        print_option(row);
        print_common_options();
        print_exit_codes();
}
