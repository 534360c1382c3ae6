from pathlib import Path
import psycopg, os
def test_x(small, provision):
    f=open("/tmp/try.out","w")
    def go(*a):
        r = provision(*a); print("$", *a, r.code, file=f); print(r.out, end="", file=f); print("--err\n"+r.err if r.err else "", end="", file=f)
    def line(l): go(*l.split())
    line("status"); line("up --allow-destructive --steps 3"); line("status"); line("status --all"); line("history --limit 4"); line("plan"); line("plan --out p.json --steps 1"); line("up --steps 1"); line("up --plan p.json")
    line("history postgres/0001 -o json"); line("history nosuch/1"); line("status --only redis -o github"); line("status --only nosuch")
    Path("clickhouse/001_events.sql").write_text(Path("clickhouse/001_events.sql").read_text()+"-- edited\n")
    line("status --check"); line("plan"); line("status -o github"); line("resolve clickhouse/001 --accept-change --reason why"); line("status"); line("history clickhouse/001")
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as c: c.execute("update alembic_version set version_num='0001'")
    line("status --only postgres"); line("resolve postgres/0002 --applied"); line("baseline postgres/0002"); line("status --only postgres")
    with psycopg.connect(os.environ["SMALL_POSTGRES"], autocommit=True) as c: c.execute("update alembic_version set version_num='0003'")
    line("status --only postgres")
    os.environ["SMALL_REDIS"]="redis://127.0.0.1:1/0"
    line("status"); line("history --limit 1"); line("lock show"); line("lock release"); line("plan")
