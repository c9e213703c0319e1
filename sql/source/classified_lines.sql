-- classified_lines(lines, ...): every line in the canonical columns, with the reason
--      why it is left out (NULL: it is kept).
-- in:  lines and the options of order_lines; its own output passes through unchanged
-- out: the columns of order_lines, and left_out VARCHAR; the first reason that applies
create or replace macro custseg.classified_lines(
    lines, since := null, as_of := null, exclude_items := null, returns := 'net',
    duplicates := 'keep', empty_lines := 'drop', time_zone := null
) as table
with source_lines as not materialized (
    from query_table(lines)
),
-- an optional column that the source lacks reads as NULL; one that it has keeps its
-- type
optional_columns as (
    select
        null as ordered_at, null as quantity, null as amount, null as department,
        null as category, null as product_name, null as order_number,
        null as days_since_prior_order, null as discount, null as is_return,
        null as left_out
    where false
),
typed_lines as not materialized (
    select
        customer_id, order_id, product_id,
        custseg.to_timestamp(ordered_at, 'ordered_at', time_zone) as ordered_at,
        custseg.to_decimal(quantity, 'quantity') as quantity,
        custseg.to_decimal(amount, 'amount') as amount,
        nullif(trim(department::varchar), '') as department,
        nullif(trim(category::varchar), '') as category,
        nullif(trim(product_name::varchar), '') as product_name,
        custseg.to_whole(order_number, 'order_number') as order_number,
        custseg.to_decimal(days_since_prior_order, 'days_since_prior_order')
            as days_since_prior_order,
        custseg.to_decimal(discount, 'discount') as discount,
        custseg.to_boolean(is_return, 'is_return') as is_return_before,
        left_out::varchar as left_out_before,
    from (from optional_columns union all by name from source_lines)
),
judged_lines as not materialized (
    select
        * exclude (is_return_before, left_out_before) replace (
            case
                when custseg.line_kind(is_return_before, quantity, amount) = 'return'
                    then -abs(amount)
                else amount
            end as amount
        ),
        custseg.line_kind(is_return_before, quantity, amount) = 'return' as is_return,
        case
            when left_out_before is not null then left_out_before
            when customer_id is null then 'no customer'
            when order_id is null then 'no order'
            when product_id is null then 'no product'
            when ordered_at is null and coalesce(since, as_of) is not null
                then 'no date'
            when ordered_at < custseg.to_timestamp(
                since, 'since', case when custseg.has_offset(since) then time_zone end
            )
                then 'before since'
            when ordered_at >= custseg.to_timestamp(
                as_of, 'as_of', case when custseg.has_offset(as_of) then time_zone end
            )
                then 'at or after as_of'
            when exclude_items is not null
                and list_contains(
                    list_transform(
                        exclude_items::varchar[],
                        lambda item: custseg.id_text(item, typeof(exclude_items))
                    ),
                    custseg.id_text(product_id::varchar, typeof(product_id))
                )
                then 'excluded item'
            when empty_lines = 'drop'
                and custseg.line_kind(is_return_before, quantity, amount) = 'empty'
                then 'nothing bought'
            when is_return and returns = 'drop' then 'return'
        end as left_out,
    from typed_lines
    where
        custseg.require(returns in ('net', 'drop'),
            'returns must be ''net'' or ''drop'', got {} [option]', returns)
        and custseg.require(duplicates in ('keep', 'drop'),
            'duplicates must be ''keep'' or ''drop'', got {} [option]', duplicates)
        and custseg.require(empty_lines in ('keep', 'drop'),
            'empty_lines must be ''keep'' or ''drop'', got {} [option]', empty_lines)
)
from judged_lines
where coalesce(duplicates, '') <> 'drop'
union all
select * replace (
    case
        when left_out is null and row_number() over (
            partition by
                left_out, customer_id, order_id, product_id,
                ordered_at, quantity, amount, is_return
        ) > 1 then 'duplicate'
        else left_out
    end as left_out
)
from judged_lines
where duplicates = 'drop';
