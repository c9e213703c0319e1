-- Why one customer, whose id is given as text, is in its segment.
select segment, label, reason, change
from custseg.explain(
    (
        select customer_id
        from custseg.segments
        where run_name = $run_name and customer_id::varchar = $customer_id::varchar
    ),
    of_run := $run_name
)
where rank <= $n
order by rank asc;
