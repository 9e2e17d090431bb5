package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ConfigParametersTest {
    @Test
    void messagesThatCouldNeverBeginAreRefused() {
        Config config = Config.defaults();
        config.unschedBytes = 0;
        assertThatThrownBy(() -> new Endpoint(config, 1, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("unsched_bytes = 0");
    }

    @Test
    void everyParameterCanBeReadAndSetAgain() {
        Config original = Config.module();
        original.unschedCutoffs = new int[] {0, 0, 0, 0, 0, 1_000_000, 5_000, 300};
        original.restart = Config.Restart.NEVER;
        Map<String, String> text = ConfigParameters.asText(original);
        Config copy = Config.defaults();
        text.forEach((name, value) -> ConfigParameters.set(copy, name, value));
        assertThat(ConfigParameters.asText(copy)).isEqualTo(text);
        assertThat(text.keySet()).containsExactlyElementsOf(ConfigParameters.names());
        assertThat(copy.unschedCutoffs).isEqualTo(original.unschedCutoffs);
        assertThat(copy.timeoutTicks).isEqualTo(100);
    }

    @Test
    void everyFieldHasANameUnlessItIsNoParameter() {
        Set<String> others = Set.of(
                "encapsulation",
                "module_profile",
                "policy",
                "assume_same_cutoffs",
                "max_message_bytes",
                "tune_cutoffs_interval_ns",
                "tune_cutoffs_min_drift",
                "cutoffs_grid_ns");
        for (Field field : Config.class.getFields()) {
            String name = field.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
            if (!Modifier.isStatic(field.getModifiers()) && !others.contains(name)) {
                assertThat(ConfigParameters.names()).contains(name.equals("first_id") ? "next_id" : name);
            }
        }
    }

    @Test
    void theModulesNamesAreUnderstood() {
        Config config = Config.defaults();
        ConfigParameters.set(config, "unsched_bytes", " 60000 ");
        ConfigParameters.set(config, "priority_map", "7,6,5,4 3 2 1 0");
        ConfigParameters.set(config, "next_id", "1000000000000");
        assertThat(config.unschedBytes).isEqualTo(60_000);
        assertThat(config.priorityMap).containsExactly(7, 6, 5, 4, 3, 2, 1, 0);
        assertThat(config.firstId).isEqualTo(1_000_000_000_000L);
    }

    @Test
    void wrongNamesAndValuesSayWhatWouldBeRight() {
        Config config = Config.defaults();
        assertThatThrownBy(() -> ConfigParameters.set(config, "unsched_byte", "1"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("there is no parameter unsched_byte; did you mean unsched_bytes?");
        assertThatThrownBy(() -> ConfigParameters.set(config, "window", "10k"))
                .hasMessage("window = 10k: is not a whole number");
        assertThatThrownBy(() -> ConfigParameters.set(config, "window", "3000000000"))
                .hasMessageContaining("beyond");
        assertThatThrownBy(() -> ConfigParameters.set(config, "check_source", "maybe"))
                .hasMessageContaining("neither true nor false");
        assertThatThrownBy(() -> ConfigParameters.set(config, "priority_map", "1 2 3"))
                .hasMessageContaining("8 numbers");
        assertThatThrownBy(() -> ConfigParameters.set(config, "restart", "perhaps"))
                .hasMessageContaining("neither always nor never");
    }
}
