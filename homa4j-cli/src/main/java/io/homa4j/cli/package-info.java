/** The homa command: one class per subcommand. */
@NullMarked
package io.homa4j.cli;

import org.jspecify.annotations.NullMarked;
