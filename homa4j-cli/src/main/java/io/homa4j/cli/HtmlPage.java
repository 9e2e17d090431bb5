package io.homa4j.cli;

import java.util.List;

/** The page of a report: it needs nothing else, no script and no file beside it. Text is escaped here; pictures come as SVG. */
final class HtmlPage {
    private static final String STYLE = """
            body { font-family: sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #111; }
            table { border-collapse: collapse; margin: 1em 0; }
            th, td { padding: 0.2em 0.7em; text-align: right; border-bottom: 1px solid #ddd; }
            th { background: #f3f3f3; } td:first-child, th:first-child { text-align: left; }
            pre { background: #f7f7f7; padding: 0.8em; overflow-x: auto; font-size: 85%; }
            svg { max-width: 100%; height: auto; }
            .bad { color: #b00; font-weight: bold; }
            """;

    private final StringBuilder html = new StringBuilder();

    /** @param title of the window; the heading of the page is another matter */
    HtmlPage(String title) {
        html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>")
                .append(escape(title))
                .append("</title>\n<style>\n")
                .append(STYLE)
                .append("</style>\n</head>\n<body>\n");
    }

    /** @param level 1 for the heading of the page */
    HtmlPage heading(int level, String text) {
        return element("h" + level, text);
    }

    HtmlPage paragraph(String text) {
        return element("p", text);
    }

    HtmlPage preformatted(String text) {
        return element("pre", text);
    }

    private HtmlPage element(String name, String text) {
        html.append('<').append(name).append('>').append(escape(text));
        html.append("</").append(name).append(">\n");
        return this;
    }

    HtmlPage picture(String svg) {
        html.append(svg);
        return this;
    }

    HtmlPage beginTable(String... headings) {
        html.append("<table><tr>");
        for (String heading : headings) {
            html.append("<th>").append(escape(heading)).append("</th>");
        }
        html.append("</tr>\n");
        return this;
    }

    HtmlPage row(List<String> cells) {
        return row(cells, false);
    }

    /** @param isBad whether it is to be seen at first sight */
    HtmlPage row(List<String> cells, boolean isBad) {
        html.append(isBad ? "<tr class=\"bad\">" : "<tr>");
        for (String cell : cells) {
            html.append("<td>").append(escape(cell)).append("</td>");
        }
        html.append("</tr>\n");
        return this;
    }

    HtmlPage endTable() {
        html.append("</table>\n");
        return this;
    }

    /** The finished page. */
    String text() {
        return html + "</body>\n</html>\n";
    }

    /** Text as it stands in HTML and SVG. */
    static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
