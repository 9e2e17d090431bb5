/** How packets reach the network and come from it. */
@NullMarked
package io.homa4j.driver;

import org.jspecify.annotations.NullMarked;
