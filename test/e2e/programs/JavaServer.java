// A com.sun.net.httpserver server for the tests. Prints "listening PORT".
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

public class JavaServer {
    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "0"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 64);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.createContext("/", exchange -> {
            String[] parts = exchange.getRequestURI().getPath().split("/");
            String first = parts.length > 1 ? parts[1] : "";
            int received = exchange.getRequestBody().readAllBytes().length;
            int status = 200;
            byte[] body = "hello from java".getBytes();
            if (first.equals("status")) {
                status = Integer.parseInt(parts[2]);
                body = "status".getBytes();
            } else if (first.equals("size")) {
                body = new byte[Integer.parseInt(parts[2])];
            } else if (first.equals("post")) {
                body = Integer.toString(received).getBytes();
            } else if (first.equals("slow")) {
                try {
                    Thread.sleep(Integer.parseInt(parts[2]));
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
            boolean empty = status == 204 || status == 304 || exchange.getRequestMethod().equals("HEAD");
            boolean chunked = first.equals("chunked");
            exchange.sendResponseHeaders(status, empty ? -1 : chunked ? 0 : body.length);
            if (!empty) {
                int count = chunked ? Integer.parseInt(parts[2]) : 1;
                for (int i = 0; i < count; i++) exchange.getResponseBody().write(chunked ? "0123456789".getBytes() : body);
            }
            exchange.close();
        });
        server.start();
        System.out.println("listening " + server.getAddress().getPort());
    }
}
