package bench
import ("testing";"time";"fmt";"github.com/octet-ml/octet/loader";"github.com/octet-ml/octet/graph")
func TestZZ(t *testing.T){
 for range 10 {
  var m loader.Mapping
  a:=time.Now()
  g,err:=loader.Load("/tmp/resnet50.int8.octet", loader.Mapped(&m)); if err!=nil {t.Fatal(err)}
  b:=time.Now()
  s,err:=g.Compile(graph.Options{Threads:1}); if err!=nil {t.Fatal(err)}
  c:=time.Now()
  fmt.Println(b.Sub(a), c.Sub(b)); s.Close(); m.Close()
 }
}
