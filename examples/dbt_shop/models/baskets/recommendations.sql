-- What to offer to each customer, and why.
select * from custseg.recommendations('{{ ref("order_lines") }}', '{{ ref("rules") }}', n := 3)
