package io.homa4j.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The portable driver keeps the contract; and what it alone does. */
class PortableDriverTest extends DriverContract {
    @Override
    Driver open() {
        return new PortableDriver();
    }

    @Test
    void theNextSizeToTryIsOneFoundInRealNetworks() {
        assertThat(PortableDriver.nextPlateau(1_501)).isEqualTo(1_500);
        assertThat(PortableDriver.nextPlateau(1_500)).isEqualTo(1_492);
        assertThat(PortableDriver.nextPlateau(1_000))
                .as("never below what every IPv6 link takes")
                .isEqualTo(1_280);
    }

    private PortableDriver portable() {
        return (PortableDriver) driver;
    }

    @Test
    void aQuietPortIsAskedLessOften() throws Exception {
        int port = driver.bind(null, 0);
        driver.attach(port, A);
        fallQuiet();
        int before = Objects.requireNonNull(portable().find(port)).emptyPolls;
        fallQuiet();
        assertThat(Objects.requireNonNull(portable().find(port)).emptyPolls - before)
                .isLessThan(1_000);
    }
}
